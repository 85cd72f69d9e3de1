"""The smallest weights go: of all, of each matrix, or of each row."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from compress.shrinking.pruning import SCOPES, Scope, prune, share_at, share_of_zeros


def matrices() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {"large": torch.randn(6, 20), "small": 0.1 * torch.randn(4, 30), "planes": torch.randn(3, 5, 16)}


def pruned_one_by_one(found: dict[str, Tensor], share: float, scope: Scope) -> dict[str, list[bool]]:
    """Which weights are left, by sorting plain numbers."""
    groups: dict[tuple, list[tuple[float, str, int]]] = {}
    for name, matrix in found.items():
        for place, value in enumerate(matrix.flatten().tolist()):
            row = place // matrix.shape[-1]
            key = {"global": (), "layer": (name,), "row": (name, row)}[scope]
            groups.setdefault(key, []).append((abs(value), name, place))
    left = {name: [True] * matrix.numel() for name, matrix in found.items()}
    for group in groups.values():
        for _, name, place in sorted(group)[: round(share * len(group))]:
            left[name][place] = False
    return left


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.8, 0.99])
def test_the_smallest_go_and_the_others_stay_as_they_are(share: float, scope: Scope) -> None:
    found, before = matrices(), matrices()
    wanted = pruned_one_by_one(found, share, scope)
    prune(found, share, scope)
    for name, matrix in found.items():
        left = torch.tensor(wanted[name]).view_as(matrix)
        assert torch.equal(matrix, torch.where(left, before[name], 0))


@pytest.mark.parametrize("scope", SCOPES)
def test_weights_that_are_zero_already_count(scope: Scope) -> None:
    found = matrices()
    prune(found, 0.5, scope)
    half = {name: matrix.clone() for name, matrix in found.items()}
    prune(found, 0.5, scope)
    assert all(torch.equal(found[name], half[name]) for name in found)


@pytest.mark.parametrize("scope", SCOPES)
def test_equal_weights_go_together(scope: Scope) -> None:
    found = {"a": torch.ones(4, 20)}
    prune(found, 0.5, scope)
    assert share_of_zeros(found.values()) == 1.0


def test_the_share_of_zeros_of_nothing_is_zero() -> None:
    assert share_of_zeros([]) == 0.0
    assert share_of_zeros([torch.zeros(2, 3), torch.ones(2, 3)]) == 0.5


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 100, 1000])
def test_more_is_cut_at_every_cut_and_the_whole_share_by_half_time(steps: int) -> None:
    cuts = {step: share_at(step, steps, 0.8) for step in range(1, steps + 1)}
    shares = [share for share in cuts.values() if share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.8)
    assert cuts[max(1, round(steps / 2))] == pytest.approx(0.8)
    assert len(shares) <= 64
    assert all(0 < share <= 0.8 for share in shares)
