"""Between encoder and heads: an embedding's prefixes, each as it will come back from the disk."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from encoders.nested import dims_with_heads, prefix_embedding
from encoders.quantizers import build_quantizer


class Bottleneck(nn.Module):
    """Cut, renormalise, quantise, drop, in this order; without nested dims and codec it does nothing.

    Args:
        dim: numbers an embedding has.
        nested_dims: sizes of prefixes that get a head of their own; empty for none, and then nothing is
            renormalised.
        quantize: the codec that the embedding shall bear.
        dropout: share of the numbers that each head gets dropped in training, in [0, 1). Dropped before, a
            prefix would be longer in training than after it, and a zero would be taken for a code.
    """

    def __init__(self, dim: int, nested_dims: Sequence[int], quantize: str, dropout: float) -> None:
        super().__init__()
        self.dims = dims_with_heads(nested_dims, dim)
        self.is_nested = bool(nested_dims)
        codes = (
            {} if quantize == "none" else {str(size): build_quantizer(quantize, size) for size in self.dims}
        )
        self.quantizers = nn.ModuleDict(codes)
        self.dropout = nn.Dropout(dropout)

    def stored(self, embedding: Tensor) -> Tensor:
        """What a codec gets to store: (B, dim), renormalised where prefixes are."""
        return prefix_embedding(embedding, self.dims[-1]) if self.is_nested else embedding

    def forward(self, embedding: Tensor, dim: int) -> Tensor:
        """What the head of size `dim`, one of `dims`, reads of an embedding (B, D): (B, dim)."""
        x = prefix_embedding(embedding, dim) if self.is_nested else embedding
        if str(dim) in self.quantizers:
            x = self.quantizers[str(dim)](x)
        dropped: Tensor = self.dropout(x)
        return dropped
