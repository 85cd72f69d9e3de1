"""Which weights go: the smallest (Han et al. 2015, "Learning both Weights and Connections", NeurIPS)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

Scope = Literal["layer", "global"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@torch.no_grad()
def prune(matrices: Mapping[str, Tensor], share: float, scope: Scope) -> None:
    """Set the smallest weights to 0, in place.

    Args:
        matrices: by name; at least `share` of their weights is 0 afterwards, those that were 0 among them.
        share: in [0, 1).
        scope: "layer" takes this share of each matrix, "global" of all together: from matrices of small
            weights more.
    """
    if scope == "global":
        _cut(list(matrices.values()), share)
        return
    for matrix in matrices.values():
        _cut([matrix], share)


def share_of_zeros(matrices: Iterable[Tensor]) -> float:
    """How much of some matrices is 0, in [0, 1]; 0 where there are none."""
    matrices = list(matrices)
    count = sum(matrix.numel() for matrix in matrices)
    return 1 - sum(int(matrix.count_nonzero()) for matrix in matrices) / count if count else 0.0


def _cut(matrices: list[Tensor], share: float) -> None:
    sizes = torch.cat([matrix.detach().abs().flatten() for matrix in matrices])
    count = round(share * len(sizes))
    if count:
        threshold = sizes.kthvalue(count).values
        for matrix in matrices:
            matrix.masked_fill_(matrix.abs() <= threshold, 0)
