"""Average precision of rare and of frequent classes: classes in bins of their number of training videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from compress.errors import DataError, SchemaError
from compress.evaluation.row import Role
from compress.metrics import Interval, TopScores, interval
from compress.reports.rounding import DELTA, NONE, count, listed

RESAMPLES = 1000
LEAST_CLASSES = (
    5  # fewer classes say nothing about their kind: no interval, and no bin of their own at the top
)
STEPS = (1, 2, 5)


@dataclass(frozen=True, eq=False)
class ScoredClasses:
    """Every class under one model; two are compared when they share `positives` and `train_counts`.

    Args:
        name, title, role: of the row or model.
        average_precision: float64 (C,) in [0, 1], within the 20 highest scores of each video.
        positives: int64 (C,), validation videos of each class; classes with 0 are not measured.
        train_counts: int64 (C,), training videos of each class.
    """

    name: str
    title: str
    role: Role
    average_precision: np.ndarray
    positives: np.ndarray
    train_counts: np.ndarray


@dataclass(frozen=True)
class Bin:
    """The measured classes with `low` to `high` training videos (both included; None: no upper end).

    Args:
        classes: how many, all with validation videos; at least 1.
        positives: validation videos of these classes, summed.
    """

    low: int
    high: int | None
    classes: int
    positives: int

    @property
    def name(self) -> str:
        """The training videos in words: 0, 3-5 (with an en dash), 1,001 or more."""
        if self.high is None:
            return f"{count(self.low)} or more"
        return count(self.low) if self.low == self.high else f"{count(self.low)}{NONE}{count(self.high)}"


@dataclass(frozen=True)
class Mean:
    """A mean over the classes of a bin, with its 95 % interval; None where the bin has too few classes."""

    value: float
    low: float | None
    high: float | None

    @property
    def interval(self) -> Interval | None:
        """Value and ends, where there are ends."""
        return None if self.low is None or self.high is None else Interval(self.value, self.low, self.high)


@dataclass(frozen=True)
class BinnedRow:
    """Mean average precision in each bin, and its difference from the baseline (None for the baseline)."""

    name: str
    title: str
    role: Role
    values: tuple[Mean, ...]
    delta: tuple[Mean, ...] | None


@dataclass(frozen=True)
class ClassFrequency:
    """Bins by rising frequency, and rows in the order they were given; `baseline` is one of them or None."""

    bins: tuple[Bin, ...]
    rows: tuple[BinnedRow, ...]
    baseline: str | None


def scored_classes(
    name: str, title: str, role: Role, top: TopScores, train_counts: np.ndarray
) -> ScoredClasses:
    """Measure every class of one row or model.

    Raises:
        DataError: no videos.
        SchemaError: the counts are not those of C classes.
    """
    if train_counts.shape != (top.num_classes,):
        what = f"{len(train_counts)} counts of training videos for {top.num_classes} classes"
        raise SchemaError(what, where=name)
    return ScoredClasses(name, title, role, top.class_average_precision, top.class_positives, train_counts)


def class_frequency(
    scored: Sequence[ScoredClasses], baseline: str | None = None, resamples: int = RESAMPLES, seed: int = 0
) -> ClassFrequency:
    """Mean average precision per bin, with 95 % intervals over the classes of the bin.

    A resample draws as many classes as the bin has, with replacement; all rows see the same draws, so
    differences are paired. The bins' means, weighted by their classes, make MAP. A bin with fewer than
    `LEAST_CLASSES` classes has no interval.

    Args:
        scored: one or more rows, measured on the same videos.
        baseline: name of the row that the others are compared with; None compares nothing.

    Raises:
        DataError: no rows, or no class has validation videos.
        SchemaError: rows of different videos, or the baseline is not among them.
    """
    _refuse_unlike(scored, baseline)
    positives, counts = scored[0].positives, scored[0].train_counts
    members = [found for found in _members(counts, positives) if len(found[1])]
    bins = tuple(
        Bin(low, high, len(classes), int(positives[classes].sum())) for (low, high), classes in members
    )
    draws = np.random.default_rng(seed)
    drawn = [classes[draws.integers(0, len(classes), (resamples, len(classes)))] for _, classes in members]

    def means(of_class: np.ndarray, least: float) -> tuple[Mean, ...]:
        return tuple(_mean(of_class, c, picked, least) for (_, c), picked in zip(members, drawn, strict=True))

    reference = next((row for row in scored if row.name == baseline), None)
    rows = []
    for row in scored:
        delta = None
        if reference is not None and row is not reference:
            delta = means(row.average_precision - reference.average_precision, -1.0)
        rows.append(BinnedRow(row.name, row.title, row.role, means(row.average_precision, 0.0), delta))
    return ClassFrequency(bins, tuple(rows), baseline)


def frequency_caption(found: ClassFrequency) -> str:
    """The caption of the plots by class frequency, with the number of classes in each bin."""
    bins = "; ".join(f"{one.name}: {count(one.classes)}" for one in found.bins)
    difference = f". {DELTA}: difference from {found.baseline} in points" if found.baseline else ""
    chance = "Even without a real change, about 1 bin in 20 has its whole interval on one side of 0. "
    return (
        "Mean average precision (AP, within the 20 highest scores per video) over the classes of each bin; a "
        f"bin holds the classes with that many training videos{difference}. The mean over all bins, weighted "
        "by their classes, is MAP. Intervals are 95 % bootstrap intervals over the classes of the bin, not "
        "over videos, with the same resampled classes for every row; a bin of fewer than "
        f"{LEAST_CLASSES} classes has none. {chance if found.baseline else ''}Classes with validation videos "
        f"in each bin: {bins}."
    )


def where_lost(found: ClassFrequency) -> list[str]:
    """One sentence for each compared row: in which bins it falls short of the reference, and is better.

    Bins that follow each other are named together; the sentence is about each of them.
    """
    return [
        f"{row.name} against {found.baseline}: {_listed_bins(found, short, 'falls short')}; "
        f"{_listed_bins(found, better, 'is better')}."
        for row in found.rows
        if row.delta is not None
        for short, better in [_sides(row.delta)]
    ]


def bin_edges(most: int) -> list[int]:
    """First counts of the bins 0, 1-2, 3-5, 6-10, 11-20, 21-50, ... up to the one that holds `most`."""
    edges = [0, 1, 3, 6]
    power = 10
    while edges[-1] <= most:
        edges += [step * power + 1 for step in STEPS]
        power *= 10
    return [edge for edge in edges if edge <= most]


def _refuse_unlike(scored: Sequence[ScoredClasses], baseline: str | None) -> None:
    if not scored or not np.any(scored[0].positives):
        raise DataError("no class was measured: no rows, or no validation video has a label")
    first, *others = scored
    for row in others:
        same = np.array_equal(row.positives, first.positives)
        if not same or not np.array_equal(row.train_counts, first.train_counts):
            raise SchemaError(f"{row.name} and {first.name} were not measured on the same videos")
    if baseline is not None and all(row.name != baseline for row in scored):
        raise SchemaError(f"the baseline {baseline} is not among the rows")


def _members(counts: np.ndarray, positives: np.ndarray) -> list[tuple[tuple[int, int | None], np.ndarray]]:
    """Ends and measured classes of each bin; the top ones are joined until they hold enough classes."""
    measured = np.flatnonzero(positives)
    edges = bin_edges(int(counts[measured].max()))
    while len(edges) > 2 and np.count_nonzero(counts[measured] >= edges[-1]) < LEAST_CLASSES:
        edges.pop()
    ends = [high - 1 for _, high in pairwise(edges)] + [None]
    found = []
    for low, high in zip(edges, ends, strict=True):
        inside = (counts[measured] >= low) & (counts[measured] <= (high if high is not None else np.inf))
        found.append(((low, high), measured[inside]))
    return found


def _mean(of_class: np.ndarray, classes: np.ndarray, drawn: np.ndarray, least: float) -> Mean:
    value = float(of_class[classes].mean())
    if len(classes) < LEAST_CLASSES:
        return Mean(value, None, None)
    found = interval(of_class[drawn].mean(axis=1), value)
    return Mean(value, max(found.low, least), min(found.high, 1.0))


def _sides(delta: Sequence[Mean]) -> tuple[list[int], list[int]]:
    """Bins whose whole interval lies below 0, and those whose whole interval lies above."""
    ends = [(i, mean.interval) for i, mean in enumerate(delta) if mean.interval is not None]
    return [i for i, found in ends if found.high < 0], [i for i, found in ends if found.low > 0]


def _listed_bins(found: ClassFrequency, chosen: list[int], verb: str) -> str:
    if not chosen:
        return f"{verb} in no bin"
    starts = [i for i in chosen if i - 1 not in chosen]
    ends = [i for i in chosen if i + 1 not in chosen]
    runs = [_run(found.bins[a], found.bins[b]) for a, b in zip(starts, ends, strict=True)]
    return f"{verb} among classes with {listed(runs)} training videos"


def _run(first: Bin, last: Bin) -> str:
    return replace(first, high=last.high).name
