"""The four figures of Table 4 (and the second way to count MAP) of one set of scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from compress.metrics.gap import gap
from compress.metrics.hit_at_one import hit_at_one
from compress.metrics.mean_average_precision import mean_over_classes, per_class_average_precision
from compress.metrics.perr import perr
from compress.metrics.top_scores import TopScores

Metric = Literal["gap", "map", "map_with_empty_as_zero", "perr", "hit_at_one"]
METRICS: tuple[Metric, ...] = ("gap", "map", "map_with_empty_as_zero", "perr", "hit_at_one")


@dataclass(frozen=True)
class Figures:
    """Every figure is in [0, 1]; higher is better.

    Args:
        gap: GAP@20.
        map: MAP@20, classes without positives skipped (the reference since May 2019).
        map_with_empty_as_zero: MAP@20, classes without positives counted as 0 (the papers).
        perr: precision at equal recall rate.
        hit_at_one: Hit@1.
        num_videos: N, unlabelled videos included.
        num_classes_with_labels: classes that `map` is the mean of.
    """

    gap: float
    map: float
    map_with_empty_as_zero: float
    perr: float
    hit_at_one: float
    num_videos: int
    num_classes_with_labels: int


def figures(top: TopScores) -> Figures:
    """All figures of N >= 1 videos.

    Raises:
        DataError: there are no videos.
    """
    average_precision, positives = per_class_average_precision(top), top.class_positives
    return Figures(
        gap=gap(top),
        map=mean_over_classes(average_precision, positives, "skip"),
        map_with_empty_as_zero=mean_over_classes(average_precision, positives, "zero"),
        perr=perr(top),
        hit_at_one=hit_at_one(top),
        num_videos=len(top),
        num_classes_with_labels=int(np.count_nonzero(positives)),
    )
