"""The scores of the positives of each class, sorted, and how many scores of the class reach each of them."""

from __future__ import annotations

import numpy as np

from compress.metrics import compiled
from compress.metrics.ordering import MAGNITUDE, SIGN, cut, descending

_TOGETHER = 1 << 18  # positives whose precision is computed at once


def key_of(classes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """uint64 (M,) that ascend by class, then by score: class << 32 | the bits of float32, made to ascend."""
    keys: np.ndarray = classes.astype(np.uint64) << np.uint64(32)
    keys |= ~descending(scores)
    return keys


class SortedPositives:
    """What the second pass counts into.

    Args:
        keys: `key_of` all positives, uint64 (P,), in any order; sorted in place.
        num_classes: C.
    """

    def __init__(self, keys: np.ndarray, num_classes: int) -> None:
        keys.sort()
        borders = np.arange(num_classes + 1, dtype=np.uint64) << np.uint64(32)
        self._starts = np.searchsorted(keys, borders).astype(np.int64)
        self._scores = _scores_of(keys)
        # Of each score of a class, 1 at the last positive that it reaches.
        self._counts = np.zeros(len(keys), dtype=np.uint32)

    @property
    def per_class(self) -> np.ndarray:
        """Positives of each class, int64 (C,)."""
        return np.diff(self._starts)

    def count(self, scores: np.ndarray) -> None:
        """Take in float32 (B, C), without NaN, one row after the other in memory."""
        code = compiled.library()
        if code is not None:
            compiled.count_above(code, scores, self._scores, self._starts, self._counts)
            return
        for column in np.flatnonzero(self.per_class):
            part = slice(self._starts[column], self._starts[column + 1])
            reached = np.searchsorted(self._scores[part], scores[:, column], side="right")
            size = part.stop - part.start
            self._counts[part] += np.bincount(reached, minlength=size + 1)[1:].astype(np.uint32)

    def average_precision(self) -> np.ndarray:
        """Average precision of each class, float64 (C,); 0 without positives."""
        per_class, found = self.per_class, np.zeros(len(self._starts) - 1)
        for low, high in cut(per_class, _TOGETHER):
            found[low:high] = self._precision_sums(low, high)
        return found / np.maximum(per_class, 1)

    def _precision_sums(self, low: int, high: int) -> np.ndarray:
        starts = self._starts[low : high + 1] - self._starts[low]
        part = slice(self._starts[low], self._starts[high])
        classes = np.repeat(np.arange(high - low), np.diff(starts))
        scores, counts = self._scores[part], self._counts[part].astype(np.int64)
        # Of the ascending positives of a class: hits at or above each, and all scores at or above it.
        hits = starts[1:][classes] - np.arange(len(scores))
        after = np.append(np.cumsum(counts[::-1])[::-1], 0)
        reaching = after[:-1] - after[starts[1:]][classes]
        # Among equal positives the first has the hits of all; misses come before all of them.
        keys = key_of(classes, scores)
        first = np.searchsorted(keys, keys)
        precision = hits / (hits + reaching - hits[first])
        # From the highest score down, as the ranking goes: sums depend on the order.
        return np.bincount(classes[::-1], weights=precision[::-1], minlength=high - low)


def _scores_of(keys: np.ndarray) -> np.ndarray:
    """The float32 scores in `key_of`, in their order."""
    scores = np.empty(len(keys), dtype=np.float32)
    step = 1 << 20
    for first in range(0, len(keys), step):
        bits = ~(keys[first : first + step] & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        bits = np.where(bits >> SIGN, bits, bits ^ MAGNITUDE)
        scores[first : first + step] = bits.view(np.float32)
    return scores
