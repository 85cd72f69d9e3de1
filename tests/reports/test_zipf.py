"""The Zipf curve: ranks, slope, the smaller curve that is drawn, and the plot."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from compress.errors import DataError
from compress.reports.classes.zipf import zipf
from compress.reports.classes.zipf_plot import powers_of_ten, zipf_plot

NAMES = {0: "Game", 9: "A class with a very long name that would never fit", 99: "<b> & 'q'"}


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


def test_powers_of_ten_reach_up_to_the_number() -> None:
    assert [powers_of_ten(most) for most in (1, 9, 10, 3862)] == [[1], [1], [1, 10], [1, 10, 100, 1000]]


@pytest.mark.parametrize("size", [(560.0, 400.0), (372.0, 380.0)])
def test_the_plot_shows_both_curves_the_line_and_names_within_its_frame(size: tuple[float, float]) -> None:
    train, validation = zipf(power_law()), zipf(power_law(300) // 5)
    text = zipf_plot(train, validation, names=NAMES, width=size[0], height=size[1], name="plot")
    root = ElementTree.fromstring(text)
    assert [e.get("class") for e in root.iter("polyline")] == ["curve validation", "curve"]
    assert [e.get("class") for e in root.iter("line")].count("band-line") == 1
    hints = [e.findtext("title") or "" for e in root.iter("circle")]
    assert hints[0] == "Game (rank 1): 5,000 videos"
    assert "<b> & 'q' (rank 100)" in hints[2]
    labels = [e for e in root.iter("text") if e.get("class") == "label"]
    assert "Game" in [e.text for e in labels]
    assert all(float(e.get("x") or 0) + 6.7 * len(e.text or "") <= size[0] for e in labels)
    for line in root.iter("polyline"):
        places = [tuple(map(float, pair.split(","))) for pair in (line.get("points") or "").split()]
        assert all(0 <= x <= size[0] and 0 <= y <= size[1] for x, y in places)
    assert "rank 100" in (root.findtext("desc") or "")


def test_a_single_class_can_be_drawn() -> None:
    text = zipf_plot(zipf(np.array([1])), names={}, width=372, height=380, name="plot")
    assert ElementTree.fromstring(text) is not None
