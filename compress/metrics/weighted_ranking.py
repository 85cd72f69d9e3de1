"""Average precision of weighted videos, from pairs that were ranked once.

A hit of weight w counts as w hits in a row. The m-th hit of the expanded ranking has rank m + (misses above
it), so the weight of the misses above each hit is all that is needed: AP = (1 / P) * sum of m / (m + misses
above).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from compress.metrics import compiled
from compress.metrics.ranking import BLOCK, class_keys, class_ranges, descending
from compress.metrics.top_scores import TopScores

HIT, VIDEO = np.uint64(1 << 31), np.uint64((1 << 31) - 1)


class WeightedVideos:
    """N >= 1 videos that are ranked once, so that their figures for any weights are cheap."""

    def __init__(self, top: TopScores) -> None:
        self.top = top

    def gap(self, weights: np.ndarray) -> float:
        """GAP of the videos when each counts `weights` times, int32 (N,); 0 when no label is left."""
        total = float(self._pool.precision_sums(weights)[0])
        return total / max(int(weights @ self.top.num_labels), 1)

    def mean_average_precision(self, weights: np.ndarray) -> float:
        """MAP of the videos when each counts `weights` times; classes left without positives are skipped."""
        total, classes = self._class_total(weights)
        return total / max(classes, 1)

    def map_with_empty_as_zero(self, weights: np.ndarray) -> float:
        """As `mean_average_precision`, but classes without positives count as 0."""
        return self._class_total(weights)[0] / self.top.num_classes

    def mean(self, values: np.ndarray, weights: np.ndarray) -> float:
        """Mean of `values` (N,) with weights int32 (N,)."""
        return float(weights @ values / weights.sum())

    def _class_total(self, weights: np.ndarray) -> tuple[float, int]:
        """The sum over classes of average precision, and the number of classes that have positives."""
        if self._last is None or not np.array_equal(self._last[0], weights):
            taken = weights[self._label_videos]
            positives = np.bincount(self.top.label_classes, weights=taken, minlength=self.top.num_classes)
            ranking, classes = self._by_class
            total = float(np.sum(ranking.precision_sums(weights) / np.maximum(positives[classes], 1)))
            # Kept because both kinds of MAP need it, one after the other.
            self._last = weights.copy(), (total, int(np.count_nonzero(positives)))
        return self._last[1]

    _last: tuple[np.ndarray, tuple[float, int]] | None = None

    @cached_property
    def _pool(self) -> _Ranking:
        keys = _pool_keys(self.top)
        hits = (keys & HIT) != 0
        keys &= VIDEO
        one_group = np.zeros(np.count_nonzero(hits), dtype=np.int32)
        return _Ranking(hits, keys.astype(np.int32), one_group, np.zeros(1, dtype=np.int64))

    @cached_property
    def _by_class(self) -> tuple[_Ranking, np.ndarray]:
        return _rank_by_class(self.top)

    @cached_property
    def _label_videos(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.top), dtype=np.int32), self.top.num_labels)


class _Ranking:
    """Ranked pairs, group after group; only the places of hits and misses are kept.

    Args:
        hits: bool (pairs,).
        videos: int32 (pairs,).
        groups: of each hit, int32 (hits,), ascending from 0 without a gap.
        starts: of each group that has a hit, its first pair, int64 (groups,).
    """

    def __init__(self, hits: np.ndarray, videos: np.ndarray, groups: np.ndarray, starts: np.ndarray) -> None:
        places = np.flatnonzero(hits)
        self._hit_videos, self._miss_videos = videos[places], videos[~hits]
        self._groups, self._num_groups = groups, len(starts)
        self._misses_before_hit = places - np.arange(len(places))
        self._misses_before_group = (starts - np.searchsorted(places, starts))[groups]
        # A resample has as many pairs as the sample, so its counts fit into this type.
        self._dtype = np.int32 if len(hits) < 1 << 31 else np.int64

    def precision_sums(self, weights: np.ndarray) -> np.ndarray:
        """Sum in each group of the precision at each hit, float64 (groups,).

        Args:
            weights: int32 (N,), how often each video is taken.
        """
        code = compiled.library()
        if code is None:
            return self._sums_in_numpy(weights)
        sums = np.zeros(self._num_groups)
        hits = (self._hit_videos, self._groups, self._misses_before_hit, self._misses_before_group)
        compiled.weighted_precision(code, weights, hits, self._miss_videos, sums)
        return sums

    def _sums_in_numpy(self, weights: np.ndarray) -> np.ndarray:
        total = np.zeros(len(self._miss_videos) + 1, dtype=self._dtype)
        np.cumsum(weights[self._miss_videos], out=total[1:])
        misses_above = total[self._misses_before_hit] - total[self._misses_before_group]
        copies = weights[self._hit_videos]
        copies_above = np.cumsum(copies) - copies
        first_hits = np.searchsorted(self._groups, np.arange(self._num_groups))
        hit = np.repeat(np.arange(len(copies)), copies)
        group = self._groups[hit]
        found = np.arange(1, len(hit) + 1) - copies_above[first_hits][group] if len(hit) else hit
        precision = found / (found + misses_above[hit])
        sums: np.ndarray = np.bincount(group, weights=precision, minlength=self._num_groups)
        return sums


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
    """The ranking, and the class of each of its groups."""
    hits, videos, starts, classes, before = [], [], [], [], 0
    for low, high, _ in class_ranges(top.classes, top.num_classes):
        chosen = np.flatnonzero((top.classes >= low) & (top.classes < high))
        keys = class_keys(*(array.reshape(-1)[chosen] for array in (top.classes, top.scores, top.hits)))
        order = np.argsort(keys)
        keys = keys[order]
        hits.append((keys & np.uint64(1)) != 0)
        videos.append((chosen[order] // top.k).astype(np.int32))
        classes.append((keys[hits[-1]] >> np.uint64(33)).astype(np.int32))
        with_hits = np.unique(classes[-1]).astype(np.uint64)
        starts.append(before + np.searchsorted(keys, with_hits << np.uint64(33)))
        before += len(keys)
    present, groups = np.unique(np.concatenate(classes), return_inverse=True)
    ranking = _Ranking(
        np.concatenate(hits), np.concatenate(videos), groups.astype(np.int32), np.concatenate(starts)
    )
    return ranking, present
