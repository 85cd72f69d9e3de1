"""Average precision of weighted videos, from pairs that were ranked once.

A hit of weight w stands for w hits in a row. The m-th hit of the written-out ranking has rank
m + (misses above it), so a ranking is known by the weight of the misses above each hit, and
AP = (1 / P) * sum of m / (m + misses above).
"""

from __future__ import annotations

import numpy as np

from compress.metrics.mean_average_precision import class_ranges
from compress.metrics.ordering import BLOCK, class_keys, descending
from compress.metrics.top_scores import TopScores

HIT, VIDEO = np.uint64(1 << 31), np.uint64((1 << 31) - 1)


class WeightedPool:
    """The ranking behind GAP: the pairs of all videos together."""

    def __init__(self, top: TopScores) -> None:
        keys = _pool_keys(top)
        hits = (keys & HIT) != 0
        keys &= VIDEO
        start = np.zeros(np.count_nonzero(hits), dtype=np.int64)
        self._ranking = _Ranking(hits, keys.astype(np.int32), start)
        self._num_labels = top.num_labels

    def gap(self, weights: np.ndarray) -> float:
        """GAP of the videos taken `weights` times, int32 (N,); 0 when no label is left."""
        misses_above, copies = self._ranking.weigh(weights)
        above = np.repeat(misses_above, copies)
        found = np.arange(1, len(above) + 1)
        return float(np.sum(found / (found + above)) / max(int(weights @ self._num_labels), 1))


class WeightedClasses:
    """The rankings behind MAP: one a class."""

    def __init__(self, top: TopScores) -> None:
        self._num_classes = top.num_classes
        self._ranking, class_of_hit = _rank_by_class(top)
        self._label_classes = top.label_classes
        self._label_videos = np.repeat(np.arange(len(top), dtype=np.int32), top.num_labels)
        # Hits stand class by class: the first hit of each class that has one, and the class of each hit.
        self._classes, self._first_hits, sizes = np.unique(
            class_of_hit, return_index=True, return_counts=True
        )
        self._class_of_hit = np.repeat(np.arange(len(self._classes)), sizes)

    def mean_average_precision(self, weights: np.ndarray) -> tuple[float, float]:
        """MAP of the videos taken `weights` times, int32 (N,): empty classes skipped, and as 0."""
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
    """Pairs in their order, group after group; all that is kept is who stands where."""

    def __init__(self, hits: np.ndarray, videos: np.ndarray, group_of_hit_starts: np.ndarray) -> None:
        places = np.flatnonzero(hits)
        self._hit_videos, self._miss_videos = videos[places], videos[~hits]
        self._misses_before_hit = places - np.arange(len(places))
        self._misses_before_group = group_of_hit_starts - np.searchsorted(places, group_of_hit_starts)
        # A resample has as many pairs as the sample, so this is what its counts fit into.
        self._dtype = np.int32 if len(hits) < 1 << 31 else np.int64

    def weigh(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weight of the misses above each hit in its group, and weight of each hit, int (hits,) both."""
        total = np.zeros(len(self._miss_videos) + 1, dtype=self._dtype)
        np.cumsum(weights[self._miss_videos], out=total[1:])
        return total[self._misses_before_hit] - total[self._misses_before_group], weights[self._hit_videos]


def _pool_keys(top: TopScores) -> np.ndarray:
    # score << 32 | hit << 31 | video: sorting the keys sorts the videos along, with SIMD and in place.
    keys = np.empty(top.scores.size, dtype=np.uint64)
    step = max(1, BLOCK // top.k)
    for first in range(0, len(top), step):
        part = slice(first, first + step)
        videos = np.arange(first, min(first + step, len(top)), dtype=np.uint64)[:, None]
        block = descending(top.scores[part]).astype(np.uint64) << np.uint64(32)
        block |= np.where(top.hits[part], HIT, np.uint64(0)) | videos
        keys[first * top.k : first * top.k + block.size] = block.reshape(-1)
    keys.sort()
    return keys


def _rank_by_class(top: TopScores) -> tuple[_Ranking, np.ndarray]:
    hits, videos, starts, classes, before = [], [], [], [], 0
    for low, high, _ in class_ranges(top):
        chosen = np.flatnonzero((top.classes >= low) & (top.classes < high))
        keys = class_keys(*(array.reshape(-1)[chosen] for array in (top.classes, top.scores, top.hits)))
        order = np.argsort(keys)
        keys = keys[order]
        hits.append((keys & np.uint64(1)) != 0)
        videos.append((chosen[order] // top.k).astype(np.int32))
        classes.append(keys[hits[-1]] >> np.uint64(33))
        starts.append(before + np.searchsorted(keys, classes[-1] << np.uint64(33)))
        before += len(keys)
    ranking = _Ranking(np.concatenate(hits), np.concatenate(videos), np.concatenate(starts))
    return ranking, np.concatenate(classes).astype(np.int64)
