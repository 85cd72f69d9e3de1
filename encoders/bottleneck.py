"""Between encoder and heads: an embedding's prefixes, each as it will come back from the disk."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.options import positive
from encoders.quantizers import build_quantizer


def prefix_embedding(embedding: Tensor, dim: int) -> Tensor:
    """The first `dim` numbers of each embedding, renormalised: L2 norm sqrt(dim), so numbers of size 1.

    Args:
        embedding: (B, D), floating point; only the direction of a prefix matters, so cutting twice is cutting
            once.
        dim: 1 to D.

    Returns:
        (B, dim) float32 (float64 from float64); a row whose prefix is zero stays zero.
    """
    if not 1 <= dim <= embedding.shape[1]:
        raise ValueError(f"a prefix of {embedding.shape[1]} numbers has 1 to {embedding.shape[1]}, not {dim}")
    # Under autocast an embedding may be bfloat16, whose squares would be summed in 8 bits.
    prefix = embedding[:, :dim].to(torch.promote_types(embedding.dtype, torch.float32))
    return F.normalize(prefix, dim=1) * math.sqrt(dim)


def dims_with_heads(nested_dims: Sequence[int], dim: int) -> tuple[int, ...]:
    """All sizes that get a head, ascending; the last is `dim`, the whole embedding's.

    Args:
        nested_dims: as they were asked for; `dim` may be among them or not.
        dim: numbers of an embedding.

    Raises:
        ValueError: one is not in [1, dim], or is there twice.
    """
    positive(**{f"nested_dims[{index}]": size for index, size in enumerate(nested_dims)})
    if len(set(nested_dims)) < len(nested_dims):
        raise ValueError(f"nested_dims {tuple(nested_dims)} holds a size twice")
    if nested_dims and max(nested_dims) > dim:
        raise ValueError(f"nested_dims {tuple(nested_dims)} must be at most dim = {dim}")
    return tuple(sorted({*nested_dims, dim}))


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
        return self.dropout(x)
