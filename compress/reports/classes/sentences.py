"""What the report says in words about classes; once for all renderers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compress.reports.classes.extremes import LEAST_POSITIVES, Extremes
from compress.reports.classes.frequency import LEAST_CLASSES, Bin, ClassFrequency, Mean
from compress.reports.classes.zipf import Zipf
from compress.reports.wording import DELTA, count, listed, signed


def zipf_sentence(train: Zipf) -> str:
    """How unequal the classes are."""
    return (
        f"Most training videos of a class: {count(train.counts[0])}; {count(train.without)} classes have "
        f"none. Log training videos against log rank (the paper's Figure 1) has slope {signed(train.slope)}: "
        f"least squares over ranks 1 to {count(len(train.counts))}, all classes with a training video. Most "
        "ranks lie in the tail, so the tail decides the slope."
    )


def zipf_caption(train: Zipf, validation: Zipf) -> str:
    """The caption of the Zipf plot."""
    return (
        f"{zipf_sentence(train)} Dashed: the fitted line. Thin: the {count(len(validation.counts))} classes "
        "with validation videos, ranked on their own."
    )


def frequency_caption(found: ClassFrequency) -> str:
    """The caption of the plots by class frequency, with the number of classes in each bin."""
    bins = "; ".join(f"{one.name}: {count(one.classes)}" for one in found.bins)
    difference = f", and its difference ({DELTA}) from {found.baseline} in points" if found.baseline else ""
    chance = "Where nothing changed, one bin in 20 still lies wholly on one side of 0. "
    return (
        "Mean average precision (within the 20 highest scores a video) of the classes with so many training "
        f"videos{difference}. All bins together, weighted by their classes, make MAP. Intervals are 95 % "
        "bootstrap intervals over the classes of the bin (not over videos), the same resampled classes for "
        f"every row; a bin of fewer than {LEAST_CLASSES} classes has none. {chance if found.baseline else ''}"
        f"Classes in each bin, of those with validation videos: {bins}."
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


def extremes_caption(found: Extremes) -> str:
    """The caption of the table of classes."""
    return (
        f"The classes whose average precision {found.row} lost and gained most beside {found.baseline}, of "
        f"the {count(found.considered)} with at least {LEAST_POSITIVES} validation videos. They were picked "
        "for being extreme: on other videos most of them will be less so."
    )
