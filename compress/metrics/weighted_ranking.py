"""Average precision of weighted videos, from pairs that were ranked once.

A hit of weight w stands for w hits in a row. The m-th hit of the written-out ranking has rank m + (misses
above it), so a ranking is known by the weight of the misses above each hit, and AP = (1 / P) * sum of m / (m
+ misses above).
"""

from __future__ import annotations

import numpy as np

from compress.metrics.ordering import class_keys
from compress.metrics.top_scores import TopScores


class WeightedPool:
    """The ranking behind GAP: the pairs of all videos together."""

    def __init__(self, top: TopScores) -> None:
        self._ranking = _Ranking(top, np.zeros(top.classes.size, dtype=np.int32))
        self._num_labels = top.num_labels

    def gap(self, weights: np.ndarray) -> float:
        """GAP of the videos taken `weights` times, int64 (N,); 0 when no label is left."""
        positives = weights @ self._num_labels
        misses_above, copies = self._ranking.weigh(weights)
        above = np.repeat(misses_above, copies)
        found = np.arange(1, len(above) + 1)
        return float(np.sum(found / (found + above)) / max(positives, 1))


class WeightedClasses:
    """The rankings behind MAP: one a class."""

    def __init__(self, top: TopScores) -> None:
        self._num_classes = top.num_classes
        self._ranking = _Ranking(top, top.classes.reshape(-1))
        self._label_classes = top.label_classes
        self._label_videos = np.repeat(np.arange(len(top)), top.num_labels)
        # Hits stand class by class: the first hit of each class that has one, and the class of each hit.
        self._classes, self._first_hits, sizes = np.unique(
            self._ranking.hit_classes, return_index=True, return_counts=True
        )
        self._class_of_hit = np.repeat(np.arange(len(self._classes)), sizes)

    def mean_average_precision(self, weights: np.ndarray) -> tuple[float, float]:
        """MAP of the videos taken `weights` times, int64 (N,): empty classes skipped, and as 0."""
        taken = weights[self._label_videos]
        positives = np.bincount(self._label_classes, weights=taken, minlength=self._num_classes)
        total = float(np.sum(self._precision_sums(weights) / np.maximum(positives[self._classes], 1)))
        return total / max(int(np.count_nonzero(positives)), 1), total / self._num_classes

    def _precision_sums(self, weights: np.ndarray) -> np.ndarray:
        misses_above, copies = self._ranking.weigh(weights)
        hits_above = (np.cumsum(copies) - copies)[self._first_hits]
        hit = np.repeat(np.arange(len(copies)), copies)
        class_of_copy = self._class_of_hit[hit]
        found = np.arange(1, len(hit) + 1) - hits_above[class_of_copy]
        precision = found / (found + misses_above[hit])
        sums: np.ndarray = np.bincount(class_of_copy, weights=precision, minlength=len(self._classes))
        return sums


class _Ranking:
    """Pairs sorted by group, then by the tie rule of ordering.py; all that is kept is who stands where."""

    def __init__(self, top: TopScores, groups: np.ndarray) -> None:
        hits = top.hits.reshape(-1)
        order = np.argsort(class_keys(groups, top.scores.reshape(-1), hits))
        groups, hits, videos = groups[order], hits[order], order // top.k
        self.hit_classes = groups[hits]
        self._hit_videos, self._miss_videos = videos[hits], videos[~hits]
        misses = np.cumsum(~hits)
        self._misses_before_hit = misses[hits]
        starts = np.searchsorted(groups, self.hit_classes)
        self._misses_before_group = misses[starts] - ~hits[starts]

    def weigh(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of the misses above each hit in its group, and weight of each hit, int64 (hits,) both."""
        total = np.zeros(len(self._miss_videos) + 1, dtype=np.int64)
        np.cumsum(weights[self._miss_videos], out=total[1:])
        return total[self._misses_before_hit] - total[self._misses_before_group], weights[self._hit_videos]
