"""Which weights go: the smallest (Han et al. 2015, "Learning both Weights and Connections", NeurIPS).

Within each output number: as Sun et al. 2023, "A Simple and Effective Pruning Approach", arXiv 2306.11695.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from compress.weights.rows import row_length

Scope = Literal["global", "layer", "row"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@torch.no_grad()
def prune(matrices: Mapping[str, Tensor], share: float, scope: Scope) -> None:
    """Set the smallest weights to 0, in place.

    Args:
        matrices: by name; at least `share` of their weights is 0 afterwards, those that were 0 among them.
        share: in [0, 1).
        scope: "global" takes this share of all together, so more of matrices of small weights; "layer" of
            each matrix; "row" of the weights of each output number, so of each class too, however rare it is.
    """
    if scope == "global":
        _cut(list(matrices.values()), share)
        return
    for matrix in matrices.values():
        if scope == "layer":
            _cut([matrix], share)
        else:
            _cut_rows(matrix, share)


def share_of_zeros(matrices: Iterable[Tensor]) -> float:
    """How much of some matrices is 0, in [0, 1]; 0 where there are none."""
    matrices = list(matrices)
    count = sum(matrix.numel() for matrix in matrices)
    return 1 - sum(int(matrix.count_nonzero()) for matrix in matrices) / count if count else 0.0


def _cut_rows(matrix: Tensor, share: float) -> None:
    sizes = matrix.detach().abs().view(-1, row_length(matrix.shape))
    count = round(share * sizes.shape[1])
    if count:
        thresholds = sizes.kthvalue(count, dim=1, keepdim=True).values
        matrix.masked_fill_((sizes <= thresholds).view_as(matrix), 0)


def _cut(matrices: list[Tensor], share: float) -> None:
    sizes = torch.cat([matrix.detach().abs().flatten() for matrix in matrices])
    count = round(share * len(sizes))
    if count:
        threshold = sizes.kthvalue(count).values
        for matrix in matrices:
            matrix.masked_fill_(matrix.abs() <= threshold, 0)
