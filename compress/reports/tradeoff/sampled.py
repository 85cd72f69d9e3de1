"""Figures of one store on one half of the videos, resampled, so that any two stores can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compress.evaluation.intervals import RESAMPLES
from compress.evaluation.query_precision import QueryPrecision
from compress.metrics import Interval, TopScores, replicates
from compress.metrics.bootstrap import interval

METRICS = ("gap", "map", "precision")
"""GAP, MAP, and label precision@10 of the neighbours."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """One metric of one head, on the videos themselves and on resamples of them, float64 (R,)."""

    point: float
    values: np.ndarray


Heads = Mapping[int, Mapping[str, Sampled]]
"""By the number of the seed, and by metric; precision may be missing."""


def sample(
    top: TopScores, precision: QueryPrecision | None, kept: np.ndarray, seed: int = 0
) -> dict[str, Sampled]:
    """Every metric on some videos.

    The videos that are drawn depend on their number and the seed alone: they are the same for every store
    and every head, so that figures can be averaged over heads and compared, resample by resample.

    Args:
        top: scores of N videos.
        precision: of the queries among them; None when neighbours were not measured.
        kept: bool (N,), the videos to take, one or more.
        seed: of the draws.
    """
    found = replicates(top.take(np.flatnonzero(kept)), RESAMPLES, seed)
    sampled = {
        "gap": Sampled(found.point.gap, found.of("gap")),
        "map": Sampled(found.point.map, found.of("map")),
    }
    if precision is not None and len(inside := precision.where(kept).videos):
        places = (np.cumsum(kept) - 1)[inside]
        sampled["precision"] = _precision(precision.where(kept).values, places, int(kept.sum()), seed)
    return sampled


def _precision(values: np.ndarray, places: np.ndarray, videos: int, seed: int) -> Sampled:
    """Of queries at `places` among the videos: whichever were queries, a resample draws from all videos."""
    draws, means = np.random.default_rng(seed), np.empty(RESAMPLES)
    for index in range(RESAMPLES):
        weights = np.bincount(draws.integers(0, videos, videos), minlength=videos)[places]
        means[index] = weights @ values / weights.sum() if weights.any() else values.mean()
    return Sampled(float(values.mean()), means)


def mean_interval(heads: Heads, metric: str) -> Interval | None:
    """A metric's mean over the heads with its interval; None where a head lacks it."""
    return _interval([head.get(metric) for head in heads.values()], 0.0)


def difference_interval(a: Heads, b: Heads, metric: str) -> Interval | None:
    """The mean of a - b over the seeds that both have, paired; None where there are none."""
    pairs = [(a[number].get(metric), b[number].get(metric)) for number in a if number in b]
    return _interval(
        [
            None if x is None or y is None else Sampled(x.point - y.point, x.values - y.values)
            for x, y in pairs
        ],
        -1.0,
    )


def _interval(found: Sequence[Sampled | None], least: float) -> Interval | None:
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found):
        return None
    point = float(np.mean([one.point for one in known]))
    around = interval(np.mean([one.values for one in known], axis=0), point)
    return Interval(point, max(around.low, least), min(around.high, 1.0))
