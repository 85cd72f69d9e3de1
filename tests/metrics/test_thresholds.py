"""Thresholds against a search over every possible one."""

from __future__ import annotations

import numpy as np
import pytest

from compress.errors import DataError
from compress.metrics import top_of_batch
from compress.metrics.thresholds import choose_thresholds


def world(seed: int, videos: int = 60, classes: int = 9) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties, and labels that follow them loosely; the last class is never there."""
    random = np.random.default_rng(seed)
    labels = random.random((videos, classes)) < np.linspace(0.5, 0, classes)
    scores = np.round(random.random((videos, classes)) + 0.5 * labels, 1) / 1.5
    return scores.astype(np.float32), labels


def f1(predicted: np.ndarray, labels: np.ndarray) -> float:
    return float(2 * (predicted & labels).sum() / max(1, predicted.sum() + labels.sum()))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("k", [3, 9])
def test_no_other_threshold_gives_a_higher_f1(seed: int, k: int):
    scores, labels = world(seed)
    shown = np.zeros_like(labels)
    np.put_along_axis(shown, np.argsort(-scores, axis=1, kind="stable")[:, :k], True, axis=1)
    found = choose_thresholds(top_of_batch(scores, labels, k))

    possible = np.unique(scores[shown])
    everywhere = [f1(shown & (scores >= one), labels) for one in possible]
    assert found.f1_everywhere == pytest.approx(max(everywhere))
    assert (
        np.float32(found.everywhere) == possible[np.flatnonzero(np.isclose(everywhere, max(everywhere)))[-1]]
    )
    assert found.positives.tolist() == labels.sum(axis=0).tolist()
    own = (labels.sum(axis=0) >= 10) & shown.any(axis=0)
    assert found.own == own.sum() > 0
    for number in range(9):
        if not own[number]:
            assert found.by_class[number] == np.float32(found.everywhere)
            continue
        best = max(f1(shown[:, number] & (scores[:, number] >= one), labels[:, number]) for one in possible)
        mine = f1(shown[:, number] & (scores[:, number] >= found.by_class[number]), labels[:, number])
        assert mine == pytest.approx(best)
    assert found.f1_by_class == pytest.approx(f1(shown & (scores >= found.by_class), labels))


def test_without_any_label_there_is_nothing_to_choose():
    scores, labels = world(0)
    with pytest.raises(DataError, match="no video has a label"):
        choose_thresholds(top_of_batch(scores, labels & False))
