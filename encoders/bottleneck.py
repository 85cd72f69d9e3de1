"""Between encoder and heads: the prefixes of an embedding, each as its codec will give it back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.layers.dropout import Dropout
from encoders.options import positive
from encoders.quantizers import build_quantizer


def prefix_embedding(embedding: Tensor, dim: int) -> Tensor:
    """The first `dim` dimensions of each embedding, rescaled to L2 norm sqrt(dim): a typical value is 1.

    Args:
        embedding: (B, D), floating point; its length has no effect, so cutting twice equals cutting once.
        dim: 1 to D.

    Returns:
        (B, dim) float32 (float64 from float64); a row whose prefix is zero stays zero.
    """
    if not 1 <= dim <= embedding.shape[1]:
        raise ValueError(f"a prefix of an embedding has 1 to {embedding.shape[1]} dimensions, not {dim}")
    # Under autocast an embedding may be bfloat16, whose squares would be summed in 8 bits.
    prefix = embedding[:, :dim].to(torch.promote_types(embedding.dtype, torch.float32))
    return F.normalize(prefix, dim=1) * math.sqrt(dim)


def dims_with_heads(nested_dims: Sequence[int], dim: int) -> tuple[int, ...]:
    """All sizes with a head, ascending: `nested_dims` and `dim`; ValueError for one out of range or twice."""
    positive(**{f"nested_dims[{index}]": size for index, size in enumerate(nested_dims)})
    if len(set(nested_dims)) < len(nested_dims):
        raise ValueError(f"nested_dims {tuple(nested_dims)} names a size twice")
    if nested_dims and max(nested_dims) > dim:
        raise ValueError(f"nested_dims {tuple(nested_dims)} must be at most dim = {dim}")
    return tuple(sorted({*nested_dims, dim}))


class Bottleneck(nn.Module):
    """Cut, renormalise, quantise, dropout, in this order; without nested dims and codec only dropout.

    Args:
        dim: embedding size.
        nested_dims: sizes of prefixes that get a head of their own; empty for none, and then nothing is
            renormalised.
        quantize: name of the codec to train for, or "none".
        dropout: dropout rate of what each head reads, in [0, 1). Any earlier, dropout would change the length
            of a prefix, and the quantiser would read its zeros as values.
    """

    def __init__(self, dim: int, nested_dims: Sequence[int], quantize: str, dropout: float) -> None:
        super().__init__()
        self.dims = dims_with_heads(nested_dims, dim)
        self.is_nested = bool(nested_dims)
        codes = (
            {} if quantize == "none" else {str(size): build_quantizer(quantize, size) for size in self.dims}
        )
        self.quantizers = nn.ModuleDict(codes)
        self.dropout = Dropout(dropout)

    def stored(self, embedding: Tensor) -> Tensor:
        """What a codec stores: (B, dim), renormalised if there are nested dims."""
        return prefix_embedding(embedding, self.dims[-1]) if self.is_nested else embedding

    def forward(self, embedding: Tensor, dim: int) -> Tensor:
        """What the head of size `dim`, one of `dims`, reads of an embedding (B, D): (B, dim)."""
        x = prefix_embedding(embedding, dim) if self.is_nested else embedding
        if str(dim) in self.quantizers:
            x = self.quantizers[str(dim)](x)
        return self.dropout(x)
