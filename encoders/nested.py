"""Nested (Matryoshka) embeddings: the first d numbers of an embedding are an embedding too.

Source: Kusupati et al. 2022, "Matryoshka Representation Learning" (NeurIPS), section 3: one head for each
nested size, the mean of their losses. As there, a prefix is renormalised after it was cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from encoders.options import positive


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
