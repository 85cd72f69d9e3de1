"""What each judge said of a store, as its row keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.evaluation.fields import Fields
from compress.evaluation.intervals import intervals_in
from compress.evaluation.judges.opinion import Opinion
from compress.metrics import METRICS, Interval, Intervals, Replicates, with_training_noise


@dataclass(frozen=True)
class Judged:
    """The answer of one judge.

    Args:
        name: of the judge.
        figures: on the validation videos; intervals over videos and, with more than one seed, over seeds.
        delta: minus the same judge's figures of the baseline, paired; None for the baseline.
        aside_gap: GAP on the training videos that were set aside, where settings and the end of training are
            chosen.
        settings: what it chose there.
        seeds: heads that it is the mean of.
        converged: whether its training ended by itself.
        parameters: numbers that were learned.
    """

    name: str
    figures: Intervals
    delta: Intervals | None
    aside_gap: float
    settings: Mapping[str, Any]
    seeds: int
    converged: bool
    parameters: int

    @classmethod
    def from_json(cls, found: Fields) -> Judged:
        """One object in "judges" of a row."""
        delta = found.optional_inside("delta")
        return cls(
            name=found.text("name"),
            figures=intervals_in(found.inside("figures"), 0.0),
            delta=None if delta is None else intervals_in(delta, -1.0),
            aside_gap=found.number("aside_gap", 0.0, 1.0),
            settings=found.inside("settings").value,
            seeds=found.integer("seeds", 1),
            converged=found.flag("converged"),
            parameters=found.integer("parameters"),
        )


def judged_by(
    name: str,
    opinion: Opinion,
    resampled: Replicates,
    against: tuple[Opinion, Replicates] | None,
) -> Judged:
    """The answer of a judge, beside the one about the baseline (None for the baseline itself)."""
    return Judged(
        name,
        figures_of(opinion, resampled),
        None if against is None else change(opinion, resampled, *against),
        opinion.aside_gap,
        opinion.settings,
        len(opinion.heads),
        opinion.converged,
        opinion.parameters,
    )


def figures_of(opinion: Opinion, resampled: Replicates) -> Intervals:
    """The figures of an opinion, with intervals over videos and seeds; `resampled` are of its scores."""
    found = resampled.intervals()
    degrees = len(opinion.heads) - 1
    return Intervals(
        {
            metric.name: with_training_noise(
                found[metric.name], opinion.variance(metric.name), max(degrees, 1), 0.0
            )
            for metric in METRICS
        }
    )


def change(opinion: Opinion, resampled: Replicates, baseline: Opinion, theirs: Replicates) -> Intervals:
    """The figures minus those of the baseline on the same resampled videos, with intervals over seeds too.

    The two may be of different judges: the best of each.
    """
    found = resampled.minus(theirs)
    return Intervals({metric.name: _widened(found, metric.name, opinion, baseline) for metric in METRICS})


def _widened(found: Intervals, metric: str, ours: Opinion, theirs: Opinion) -> Interval:
    """The change of a metric with the noise of the seeds, from heads that are paired by seed or not.

    Heads of the same seed begin alike, so where embeddings are alike, their difference varies less than they
    do; where they are not, there are more degrees of freedom without pairs. Both are right: the narrower is
    taken.
    """
    apart = ours.variance(metric) + theirs.variance(metric)
    wide = with_training_noise(found[metric], apart, max(len(ours.heads) + len(theirs.heads) - 2, 1))
    if len(ours.heads) != len(theirs.heads) or len(ours.heads) < 2:
        return wide
    differences = [a[metric] - b[metric] for a, b in zip(ours.heads, theirs.heads, strict=True)]
    paired = with_training_noise(
        found[metric], float(np.var(differences, ddof=1)) / len(differences), len(differences) - 1
    )
    return min(wide, paired, key=lambda interval: interval.high - interval.low)
