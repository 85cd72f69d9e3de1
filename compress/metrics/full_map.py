"""Un-truncated MAP of any number of videos in little memory: the scores are read twice and never kept.

The first pass keeps the scores of the positives, about 3 per video, sorted by class. The second counts how
many scores of the class reach each of them, which gives its rank. Both passes must see the same scores, in
any batches and order; a checksum per class finds out when they did not.

The tie rule is that of ranking.py: among equal scores misses come before hits. So the result equals
`mean_average_precision` of all scores to the bit. It equals scikit-learn's `average_precision_score`, which
counts equal scores as one, when no hit has the score of another video.
"""

from __future__ import annotations

import numpy as np

from compress.errors import DataError, SchemaError, UsageError
from compress.growing_array import GrowingArray
from compress.metrics import compiled
from compress.metrics.checks import checked_labels, checked_scores, refuse_nan
from compress.metrics.figures import Empty, mean_over_classes
from compress.metrics.ranking import MAGNITUDE, SIGN, cut, descending
from compress.metrics.top_k import label_lists

_TOGETHER = 1 << 18  # positives whose precision is computed at once


class FullMAP:
    """Average precision over all scores of all videos, in two passes.

    1.1 million videos of 3862 classes take 66 MB. One core needs 2 ms for 1024 videos in the first pass and
    10 to 23 ms in the second, depending on the scores (4 times that without the C code).

    Args:
        num_classes: C.

    Raises:
        UsageError: there are no classes.

    Example:
        >>> scores = np.array([[0.9, 0.2], [0.8, 0.7]])
        >>> full = FullMAP(num_classes=2)
        >>> full.collect(scores, np.array([[False, False], [True, True]]))
        >>> full.count(scores)
        >>> full.average_precision().tolist()
        [0.5, 1.0]
    """

    def __init__(self, num_classes: int) -> None:
        if num_classes < 1:
            raise UsageError(f"no average precision of {num_classes} classes")
        self.num_classes = num_classes
        self._keys = GrowingArray(np.zeros(0, dtype=np.uint64))
        self._positives: _SortedPositives | None = None
        self._collected, self._counted = _Seen(num_classes), _Seen(num_classes)

    def collect(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """First pass: take in a batch of videos.

        Args:
            scores: (B, C) of any float type, read as float32; any range; no NaN.
            labels: bool (B, C).

        Raises:
            RecordError: a score is NaN; nothing of the batch is kept.
            SchemaError: shapes or types do not fit; nothing of the batch is kept.
            UsageError: the second pass has begun.
        """
        if self._positives is not None:
            raise UsageError("the second pass has begun: no more videos can be collected")
        scores = self._checked(scores)
        labels = checked_labels(labels, scores.shape)
        self._collected.add(scores)
        listed = label_lists(labels)
        videos = np.repeat(np.arange(len(scores)), listed.counts)
        self._keys.append(_key_of(listed.classes, scores[videos, listed.classes]))

    def count(self, scores: np.ndarray) -> None:
        """Second pass: take in a batch of the same videos again.

        Args:
            scores: (B, C), as they were in the first pass.

        Raises:
            RecordError: a score is NaN; nothing of the batch is counted.
            SchemaError: the shape or type does not fit; nothing of the batch is counted.
        """
        scores = self._checked(scores)
        if self._positives is None:
            self._positives = _SortedPositives(self._keys.view(), self.num_classes)
            self._keys = GrowingArray(np.zeros(0, dtype=np.uint64))
        self._counted.add(scores)
        self._positives.count(scores)

    def average_precision(self) -> np.ndarray:
        """Average precision of each class, float64 (C,); 0 for a class without positives.

        Raises:
            DataError: no videos, or the two passes did not see the same scores.
        """
        if self._collected.videos == 0:
            raise DataError("no videos to measure", hint="check the split or the pattern of the shards")
        if self._positives is None or not self._collected.same_as(self._counted):
            raise DataError(
                f"the {self._counted.videos} videos of the second pass do not have the scores of the "
                f"{self._collected.videos} of the first",
                hint="score the same videos twice, with the same batches, precision and device",
            )
        return self._positives.average_precision()

    def mean(self, empty: Empty = "skip") -> float:
        """MAP in [0, 1]; `empty` as in `mean_average_precision`.

        Raises:
            DataError: as `average_precision`.
            UsageError: `empty` is neither "skip" nor "zero".
        """
        average_precision = self.average_precision()
        assert self._positives is not None
        return mean_over_classes(average_precision, self._positives.per_class, empty)

    def _checked(self, scores: np.ndarray) -> np.ndarray:
        scores = np.ascontiguousarray(checked_scores(scores))
        if scores.shape[1] != self.num_classes:
            raise SchemaError(f"scores have {scores.shape[1]} classes, not {self.num_classes}")
        return scores


class _Seen:
    """How many videos a pass saw, and the sum of the bits of all scores of each class, modulo 2**64."""

    def __init__(self, num_classes: int) -> None:
        self.videos, self._sums = 0, np.zeros(num_classes, dtype=np.uint64)

    def add(self, scores: np.ndarray) -> None:
        code = compiled.library()
        sums = _sums_of_bits(scores) if code is None else compiled.sums_of_bits(code, scores)
        self._sums += sums
        self.videos += len(scores)

    def same_as(self, other: _Seen) -> bool:
        return self.videos == other.videos and np.array_equal(self._sums, other._sums)


def _sums_of_bits(scores: np.ndarray) -> np.ndarray:
    if np.isnan(scores).any():
        refuse_nan(scores)
    bits = (scores + np.float32(0)).view(np.uint32)  # 0.0 and -0.0 are one score
    sums: np.ndarray = bits.sum(axis=0, dtype=np.uint64)
    return sums


def _key_of(classes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """uint64 (M,) that sort by class, then by score: class << 32 | the bits of float32 in ascending order."""
    keys: np.ndarray = classes.astype(np.uint64) << np.uint64(32)
    keys |= ~descending(scores)
    return keys


class _SortedPositives:
    """The counts of the second pass; `keys`, `_key_of` all positives, uint64 (P,), are sorted in place."""

    def __init__(self, keys: np.ndarray, num_classes: int) -> None:
        keys.sort()
        borders = np.arange(num_classes + 1, dtype=np.uint64) << np.uint64(32)
        self._starts = np.searchsorted(keys, borders).astype(np.int64)
        self._scores = _scores_of(keys)
        # Each score of a class adds 1 at the last positive that it reaches.
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
        keys = _key_of(classes, scores)
        first = np.searchsorted(keys, keys)
        precision = hits / (hits + reaching - hits[first])
        # From the highest score down, as the ranking goes: sums depend on the order.
        sums: np.ndarray = np.bincount(classes[::-1], weights=precision[::-1], minlength=high - low)
        return sums


def _scores_of(keys: np.ndarray) -> np.ndarray:
    """The float32 scores in `_key_of`, in their order."""
    scores = np.empty(len(keys), dtype=np.float32)
    step = 1 << 20
    for first in range(0, len(keys), step):
        bits = ~(keys[first : first + step] & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        bits = np.where(bits >> SIGN, bits, bits ^ MAGNITUDE)
        scores[first : first + step] = bits.view(np.float32)
    return scores
