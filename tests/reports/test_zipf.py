"""The Zipf curve: ranks, slope, the smaller curve that is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from compress.errors import DataError
from compress.reports.classes.zipf import zipf


def power_law(classes: int = 400) -> np.ndarray:
    return np.round(5000 / np.arange(1, classes + 1) ** 1.3).astype(np.int64)


def test_ranks_go_by_falling_number_of_videos_and_classes_without_videos_are_counted() -> None:
    found = zipf(np.array([3, 0, 7, 3, 0, 1]))
    assert found.counts == (7, 3, 3, 1)
    assert found.without == 2
    assert found.named == ((1, 2),)


def test_the_slope_is_that_of_least_squares_over_all_ranks_with_videos() -> None:
    videos = np.concatenate([np.random.default_rng(0).permutation(power_law()), np.zeros(50, np.int64)])
    found = zipf(videos)
    ordered = sorted((int(n) for n in videos if n), reverse=True)
    wanted = np.polyfit(np.log10(np.arange(1, len(ordered) + 1)), np.log10(ordered), 1)
    assert (found.slope, found.intercept) == pytest.approx(tuple(wanted))


def test_an_exact_power_law_gives_its_exponent() -> None:
    found = zipf(np.array([2**12 // 4**i for i in range(7) for _ in range(2**i)]))
    assert found.slope < -1
    exact = zipf(np.array([64, 16]))  # a quarter of the videos at twice the rank
    assert exact.slope == pytest.approx(-2.0)
    assert zipf(np.array([5])).slope == 0


def test_the_drawn_steps_hold_the_whole_curve() -> None:
    found = zipf(power_law())
    ranks, videos = zip(*found.steps, strict=True)
    between = np.interp(np.arange(1, len(found.counts) + 1), ranks, videos)
    assert between == pytest.approx(found.counts)
    assert len(ranks) < 0.8 * len(found.counts)


def test_no_videos_are_an_error() -> None:
    with pytest.raises(DataError, match="nothing to rank"):
        zipf(np.zeros(4, np.int64))
