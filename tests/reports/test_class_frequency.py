"""Average precision by class frequency: bins, means, intervals and extreme classes, against loops."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from compress.errors import DataError, SchemaError
from compress.metrics import figures
from compress.reports.classes.frequency import (
    LEAST_CLASSES,
    Bin,
    ScoredClasses,
    bin_edges,
    class_frequency,
    scored_classes,
    where_lost,
)
from compress.reports.classes.sections import LEAST_POSITIVES, extremes
from tests.reports.scored_videos import CLASSES, VIDEOS, labels, scored, scores, top, train_counts


def slow_average_precision(noise: float, of_class: int) -> float:
    """From the definition: the videos with the class in their top 20, best first, misses before hits."""
    table, truth = scores(noise, 1), labels()
    ranking = []
    for video in range(VIDEOS):
        order = sorted(range(CLASSES), key=lambda c: (-table[video, c], c))
        if of_class in order[:20]:
            ranking.append((-table[video, of_class], bool(truth[video, of_class])))
    found, total = 0, 0.0
    for rank, (_, hit) in enumerate(sorted(ranking), start=1):
        found += hit
        total += found / rank if hit else 0.0
    return total / max(int(truth[:, of_class].sum()), 1)


def slow_members(one: Bin) -> list[int]:
    """The classes of a bin, one by one."""
    counts, positives = train_counts(), labels().sum(axis=0)
    high = CLASSES * 10_000 if one.high is None else one.high
    return [c for c in range(CLASSES) if positives[c] and one.low <= counts[c] <= high]


@pytest.mark.parametrize(
    ("most", "edges"),
    [
        (0, [0]),
        (1, [0, 1]),
        (2, [0, 1]),
        (3, [0, 1, 3]),
        (10, [0, 1, 3, 6]),
        (11, [0, 1, 3, 6, 11]),
        (2500, [0, 1, 3, 6, 11, 21, 51, 101, 201, 501, 1001, 2001]),
    ],
)
def test_bins_grow_by_factors_of_about_two_and_end_with_the_most_frequent_class(
    most: int, edges: list[int]
) -> None:
    assert bin_edges(most) == edges


def test_every_bin_holds_the_mean_of_its_classes_average_precision() -> None:
    found = class_frequency([scored("row", 3.0)])
    assert len(found.bins) >= 4
    for one, mean in zip(found.bins, found.rows[0].values, strict=True):
        members = slow_members(one)
        assert (one.classes, one.positives) == (len(members), labels()[:, members].sum())
        wanted = sum(slow_average_precision(3.0, c) for c in members) / len(members)
        assert mean.value == pytest.approx(wanted, abs=1e-12)


def test_bins_lie_side_by_side_and_their_weighted_means_make_map() -> None:
    found = class_frequency([scored("row", 3.0)])
    assert all(a.high is not None and a.high < b.low for a, b in pairwise(found.bins))
    assert found.bins[-1].high is None
    total = sum(one.classes * mean.value for one, mean in zip(found.bins, found.rows[0].values, strict=True))
    assert total / sum(one.classes for one in found.bins) == pytest.approx(figures(top(3.0)).map)


def test_the_top_bin_takes_in_frequencies_until_it_has_enough_classes() -> None:
    top_bin = class_frequency([scored("row", 3.0)]).bins[-1]
    assert top_bin.classes >= LEAST_CLASSES
    assert sum(train_counts() > 500) < LEAST_CLASSES


def test_a_bin_of_few_classes_has_a_mean_and_no_interval() -> None:
    found = class_frequency([scored("row", 3.0)])
    for one, mean in zip(found.bins, found.rows[0].values, strict=True):
        assert (mean.interval is None) == (one.classes < LEAST_CLASSES)
    assert any(mean.interval is None for mean in found.rows[0].values)


def test_intervals_come_from_the_same_resampled_classes_for_every_row() -> None:
    rows = [scored("original", 1.5, "baseline"), scored("row", 3.0)]
    found = class_frequency(rows, "original", resamples=40, seed=7)
    delta = found.rows[1].delta
    assert delta is not None
    draws = np.random.default_rng(7)
    for i, one in enumerate(found.bins):
        members = slow_members(one)
        differences = []
        for resample in draws.integers(0, len(members), (40, len(members))):
            ours, theirs = (
                np.mean([row.average_precision[members[place]] for place in resample]) for row in rows
            )
            differences.append(theirs - ours)
        mean = delta[i]
        if mean.interval is not None:
            low, high = np.quantile(differences, [0.025, 0.975]) + mean.value - np.mean(differences)
            assert (mean.interval.low, mean.interval.high) == pytest.approx((low, high))


def test_a_row_like_the_baseline_differs_by_nothing_and_the_baseline_is_not_compared() -> None:
    found = class_frequency([scored("original", 1.5, "baseline"), scored("twin", 1.5)], "original")
    assert found.rows[0].delta is None
    assert all(mean.value == 0 for mean in found.rows[1].delta or ())
    assert all(mean.low in (0, None) and mean.high in (0, None) for mean in found.rows[1].delta or ())
    assert where_lost(found) == ["twin against original: falls short in no bin; is better in no bin."]


def test_a_row_that_is_worse_everywhere_is_said_to_fall_short_over_the_whole_range() -> None:
    original = scored("original", 1.5, "baseline")
    worse = replace(original, name="worse", average_precision=original.average_precision / 2 - 0.01)
    found = class_frequency([original, worse], "original")
    (told,) = where_lost(found)
    assert told.startswith("worse against original: falls short among classes with ")
    assert "or more training videos; is better in no bin." in told


def other_videos() -> ScoredClasses:
    return scored_classes("other", "Other", "encoder", top(3.0, of=labels(seed=5)), train_counts())


@pytest.mark.parametrize(
    ("rows", "baseline", "error", "message"),
    [
        ([], None, DataError, "no class was measured"),
        ([scored("row", 3.0), other_videos()], None, SchemaError, "not measured on the same videos"),
        (
            [scored("row", 3.0), replace(scored("other", 3.0), train_counts=train_counts() + 1)],
            None,
            SchemaError,
            "other and row were not measured on the same videos",
        ),
        ([scored("row", 3.0)], "original", SchemaError, "baseline original is not among the rows"),
    ],
)
def test_rows_that_do_not_compare_are_refused(
    rows: list[ScoredClasses], baseline: str | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        class_frequency(rows, baseline)


def test_counts_of_other_classes_are_refused() -> None:
    with pytest.raises(SchemaError, match="59 counts of training videos for 60 classes"):
        scored_classes("row", "Row", "encoder", top(3.0), train_counts()[:-1])


def test_the_classes_that_changed_most_are_those_of_a_full_sort() -> None:
    original, row = scored("original", 1.5, "baseline"), scored("row", 3.0)
    names = {c: f"Class {c}" for c in range(CLASSES) if c != 1}
    found = extremes(row, original, names)
    assert found is not None
    positives = labels().sum(axis=0)
    enough = [c for c in names if positives[c] >= LEAST_POSITIVES]
    change = {c: slow_average_precision(3.0, c) - slow_average_precision(1.5, c) for c in enough}
    lost = [c for c in sorted(enough, key=lambda c: change[c]) if change[c] < 0][:5]
    assert [one.name for one in found.lost] == [f"Class {c}" for c in lost]
    assert found.considered == len(enough)
    assert [one.row - one.baseline for one in found.lost] == pytest.approx([change[c] for c in lost])
    assert [one.train_videos for one in found.lost] == [train_counts()[c] for c in lost]


def test_no_change_or_no_names_make_no_table_of_classes() -> None:
    original = scored("original", 1.5, "baseline")
    assert extremes(original, original, {0: "Game"}) is None
    assert extremes(scored("row", 3.0), original, {}) is None
    with pytest.raises(SchemaError, match="same videos"):
        extremes(other_videos(), original, {0: "Game"})
