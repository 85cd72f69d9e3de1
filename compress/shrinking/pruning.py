"""Magnitude pruning: the smallest weights become 0, at once or gradually during training.

Han et al. 2015, "Learning both Weights and Connections" (NeurIPS); per row as in Sun et al. 2023, "A Simple
and Effective Pruning Approach" (arXiv 2306.11695).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from compress.training.state import TrainState
from compress.training.weights import matrices_of, row_length
from encoders import Model

RAMP = 0.5  # of all steps; the rest trains the weights that are left
_CUTS = 32  # during the ramp: after each small cut the other weights can adapt
Scope = Literal["global", "layer", "row"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


def share_at(step: int, steps: int, final: float) -> float | None:
    """The share of weights to be 0 after `step` (from 1) of `steps`; None if nothing is cut at this step.

    final * (1 - (1 - t)^3) with t from 0 to 1 over the first RAMP of the steps: fast at first, slow towards
    the end (Zhu and Gupta 2017, arXiv 1710.01878, section 3).

    Example:
        >>> [share_at(step, 8, 0.8) for step in (1, 2, 4, 5)]
        [0.4625, 0.7, 0.8, None]
    """
    ramp = max(1, round(RAMP * steps))
    every = max(1, ramp // _CUTS)
    if step > ramp or (step % every and step != ramp):
        return None
    return final * (1 - (1 - step / ramp) ** 3)


class Pruning:
    """A `Refinement` of a training that prunes the matrices of encoder and heads.

    A weight that is 0 stays 0, also in the running average. Which weights are left follows from the weights,
    so a checkpoint needs nothing more.

    Args:
        model: the model to prune.
        sha256: of its weights.
        share: of the matrices' weights that is 0 in the end, in [0, 1).
        scope: see `prune`.
    """

    def __init__(self, model: Model, sha256: str, share: float, scope: Scope) -> None:
        self._model, self._share, self._scope = model, share, scope
        self._facts = {"model_sha256": sha256, "prune": share, "scope": scope}
        self._left: dict[str, Tensor] = {}

    @property
    def facts(self) -> dict[str, Any]:
        return self._facts

    def model(self) -> Model:
        return self._model

    def begin(self, state: TrainState) -> None:
        """Note which weights are left."""
        self._left = {name: matrix != 0 for name, matrix in matrices_of(state.model).items()}

    @torch.no_grad()
    def after_step(self, state: TrainState, steps: int) -> None:
        """Set pruned weights to 0 again, and prune more during the ramp."""
        matrices = matrices_of(state.model)
        for name, matrix in matrices.items():
            matrix.mul_(self._left[name])
        share = share_at(state.at.step, steps, self._share)
        if share is not None:
            prune(matrices, share, self._scope)
        for name, matrix in matrices.items():
            # After every step: a resumed training would count a weight that a step made 0 as pruned, too.
            torch.ne(matrix, 0, out=self._left[name])
            state.average.weights[name].mul_(self._left[name])


@torch.no_grad()
def prune(matrices: Mapping[str, Tensor], share: float, scope: Scope) -> None:
    """Set the smallest weights to 0, in place; at least `share` in [0, 1) of them is 0 afterwards.

    The share is that of all matrices together (scope "global"), of each matrix ("layer"), or of each row,
    that is of each output, for example a class ("row").
    """
    if scope == "row":
        for matrix in matrices.values():
            _cut_rows(matrix, share)
    elif scope == "layer":
        for matrix in matrices.values():
            _cut([matrix], share)
    else:
        _cut(list(matrices.values()), share)


def share_of_zeros(matrices: Iterable[Tensor]) -> float:
    """Share of weights that are 0, in [0, 1]; 0 without matrices."""
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
    if count:  # weights equal to the threshold go too, so that zeros always count as pruned
        threshold = sizes.kthvalue(count).values
        for matrix in matrices:
            matrix.masked_fill_(matrix.abs() <= threshold, 0)
