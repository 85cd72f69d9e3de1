"""The trade-off's comparisons: resampling, rivals, and which half says what."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compress.errors import DataError, NotFoundError
from compress.evaluation.scores import QueryPrecision
from compress.metrics import TopScores
from compress.reports.tradeoff.measured import Kept, difference_interval, mean_interval, read_measured, sample
from compress.reports.tradeoff.table import tradeoff_table
from tests.reports.scored_videos import top
from tests.reports.tradeoff_points import figures, many, measured, original


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compress.metrics.resampling.RESAMPLES", 60)


def scored() -> TopScores:
    return top(1.0)


def slow_precision(values: np.ndarray, places: np.ndarray, videos: int, resamples: int) -> np.ndarray:
    """The mean over the queries of every resample of the videos, each drawn video counted by itself."""
    draws, means = np.random.default_rng(0), []
    for _ in range(resamples):
        drawn = draws.integers(0, videos, videos).tolist()
        found = [values[places.tolist().index(video)] for video in drawn if video in places]
        means.append(np.mean(found) if found else values.mean())
    return np.array(means)


def test_precision_is_resampled_by_videos_like_its_slow_definition() -> None:
    scores = scored()
    kept = np.arange(len(scores)) % 2 == 0
    videos = np.array([0, 1, 4, 6, 7], dtype=np.int64)
    precision = QueryPrecision(videos, np.array([0.1, 0.9, 0.4, 0.8, 1.0]))
    found = sample(scores, precision, kept)["precision"]
    # Of the queries 0, 4 and 6 are among the videos that are kept, as their numbers 0, 2 and 3.
    slow = slow_precision(np.array([0.1, 0.4, 0.8]), np.array([0, 2, 3]), int(kept.sum()), len(found.values))
    np.testing.assert_allclose(found.values, slow)
    assert found.point == pytest.approx(np.mean([0.1, 0.4, 0.8]))


def test_figures_of_a_half_are_those_of_its_videos_alone() -> None:
    scores = scored()
    kept = np.arange(len(scores)) < len(scores) // 2
    alone = sample(scores.take(np.flatnonzero(kept)), None, np.ones(kept.sum(), dtype=bool))
    found = sample(scores, None, kept)
    assert set(found) == {"gap", "map"}
    for metric, one in alone.items():
        assert found[metric].point == one.point
        np.testing.assert_array_equal(found[metric].values, one.values)


def test_a_difference_is_paired_and_taken_over_the_seeds_that_both_have() -> None:
    a = measured("a", 8, figures(0.6), heads=3).halves["confirmation"]
    b = measured("b", 8, figures(0.5), heads=2).halves["confirmation"]
    ahead = difference_interval(a, b, "gap")
    assert ahead is not None
    assert (ahead.low, ahead.value, ahead.high) == pytest.approx((0.1, 0.1, 0.1))  # the draws are the same
    alone = mean_interval(a, "gap")
    assert alone is not None
    assert alone.value == pytest.approx(0.601)
    assert alone.high - alone.low > 0.01


def test_what_one_of_both_lacks_is_not_compared() -> None:
    a = measured("a", 8, figures(0.6)).halves["confirmation"]
    b = measured("b", 8, {"gap": 0.5}).halves["confirmation"]
    assert difference_interval(a, b, "precision") is None
    assert difference_interval(a, {}, "gap") is None


def test_the_rival_is_chosen_on_the_selection_half_and_beaten_on_the_other() -> None:
    ours = measured("mrl", 64, figures(0.66), role="encoder", encoder="linear")
    lucky = measured("pca-a", 64, figures(0.65), figures(0.55))
    steady = measured("pca-b", 64, figures(0.6), figures(0.6))
    table = tradeoff_table([original(), ours, lucky, steady], "original")
    point = next(point for point in table.points if point.name == "mrl")
    assert point.rivals["gap"].name == "pca-a"
    assert point.rivals["gap"].ahead.value == pytest.approx(0.11)


def test_a_rival_has_no_more_bytes_and_needs_no_training() -> None:
    ours = measured("mrl", 64, figures(0.6), role="encoder", encoder="linear")
    other = measured("cnn", 32, figures(0.64), role="encoder", encoder="residual_cnn")
    larger, smaller = measured("pca-a", 65, figures(0.65)), measured("pca-b", 64, figures(0.5))
    points = tradeoff_table([original(), ours, other, larger, smaller], "original").points
    found = {point.name: point for point in points}
    assert found["mrl"].rivals["gap"].name == "pca-b"
    assert found["cnn"].rivals == {}
    assert found["pca-a"].rivals == {}


@pytest.mark.parametrize("baseline", ["original", "cnn"])
def test_what_was_trained_is_no_control_whatever_it_was_measured_against(baseline: str) -> None:
    own = measured("cnn", 32, figures(0.7), role="baseline", encoder="residual_cnn")
    ours, pca = measured("mrl", 64, figures(0.6), role="encoder"), measured("pca-a", 16, figures(0.5))
    against_itself = replace(pca, row=replace(pca.row, role="baseline"))
    points = tradeoff_table([original(), own, ours, against_itself], baseline).points
    found = {point.name: point for point in points}
    assert found["mrl"].rivals["gap"].name == "pca-a"
    roles = {"original": "control", "cnn": "encoder", "mrl": "encoder", "pca-a": "control"}
    assert {point.name: point.role for point in points} == roles | {baseline: "baseline"}
    assert found["cnn"].family == "cnn"


def test_each_kind_of_baseline_is_compared_by_itself() -> None:
    table = tradeoff_table(many(), "original")
    point = next(point for point in table.points if point.name == "mrl-d64-int8")
    assert set(point.of_families) == {"PCA", "random projection", "PQ of the original"}
    assert point.of_families["PQ of the original"]["gap"].name == "original-pq64"
    assert point.rivals["gap"].name == "pca-64-int8"


def test_points_stand_by_bytes_and_only_the_baseline_has_no_difference() -> None:
    table = tradeoff_table(many(), "original")
    sizes = [point.bytes_per_video for point in table.points]
    assert sizes == sorted(sizes)
    assert [point.name for point in table.points if not point.confirmation.delta] == ["original"]
    assert table.baseline.role == "baseline"


def test_the_front_is_that_of_the_confirmation_half() -> None:
    better_there = measured("a", 32, figures(0.6), figures(0.5))
    worse_there = measured("b", 32, figures(0.5), figures(0.6))
    table = tradeoff_table([original(), better_there, worse_there], "original")
    assert [point.name for point in table.front("gap")] == ["b", "original"]


def test_runs_that_differ_by_their_size_alone_are_one_family() -> None:
    ours = [
        measured(f"cnn-{dim}-int8", dim, figures(0.6), run=f"cnn-{dim}", role="encoder", dim=dim)
        for dim in (32, 64)
    ]
    assert {one.family for one in ours} == {"cnn"}


def test_without_the_baseline_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(NotFoundError, match="baseline 'other' is not measured"):
        tradeoff_table([original()], "other")


def test_too_few_videos_for_two_halves_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="too few"):
        read_measured("a", "a", [Kept(0, "a", tmp_path)], np.array([b"a"]))
