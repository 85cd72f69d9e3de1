"""MAP: average precision of each class over the videos that have it in their top 20, then the mean.

Source: google/youtube-8m `mean_average_precision_calculator.py`. Until May 2019, and so in the papers, a
class without positives counted as 0; since then it is skipped. Both are here and neither is called "the" MAP.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np

from compress.errors import SchemaError, UsageError
from compress.metrics import compiled
from compress.metrics.checks import checked_labels, checked_scores, refuse_nan
from compress.metrics.gap import require_videos
from compress.metrics.ordering import BLOCK, class_keys, cut
from compress.metrics.top_scores import TopScores

Empty = Literal["skip", "zero"]
# Pairs sorted together, when no single class has more; bounds the memory at 1.1 million videos.
PAIRS = 1 << 21


def mean_average_precision(top: TopScores, empty: Empty = "skip") -> float:
    """Mean over classes of the average precision within the kept top of each video.

    Args:
        top: N >= 1 videos.
        empty: what a class without positives counts: "skip" not at all (since May 2019), "zero" 0 (the
            papers).

    Returns:
        A number in [0, 1]; 0 when no class has positives.

    Raises:
        DataError: there are no videos.
        UsageError: `empty` is something else.
    """
    return mean_over_classes(per_class_average_precision(top), top.class_positives, empty)


def per_class_average_precision(top: TopScores) -> np.ndarray:
    """Average precision of each class, float64 (C,); recall counts all positives of the class.

    A class with positives that never reaches a top 20 gets 0, and so does a class without positives. Among
    equal scores misses come before hits.

    Raises:
        DataError: there are no videos.
    """
    require_videos(top)
    sums = np.zeros(top.num_classes)
    for low, high, count in class_ranges(top):
        sums[low:high] = precision_sums(_keys_of_range(top, low, high, count), low, high)
    average_precision: np.ndarray = sums / np.maximum(top.class_positives, 1)
    return average_precision


def full_mean_average_precision(scores: np.ndarray, labels: np.ndarray, empty: Empty = "skip") -> float:
    """Un-truncated MAP: every score of every video counts. The caller holds the whole matrix.

    Args:
        scores: (N, C) of any float type, read as float32; any range; no NaN; N >= 1.
        labels: bool (N, C).
        empty: as in `mean_average_precision`.

    Returns:
        A number in [0, 1].

    Raises:
        RecordError: a score is NaN.
        SchemaError: shapes or types do not fit together, or there are no videos.
        UsageError: `empty` is neither "skip" nor "zero".
    """
    scores, labels = checked_scores(scores), checked_labels(labels, scores.shape)
    refuse_nan(scores)
    num_videos, num_classes = scores.shape
    if num_videos == 0:
        raise SchemaError("no videos to measure")
    positives = np.count_nonzero(labels, axis=0)
    sums = np.zeros(num_classes)
    step = max(1, PAIRS // num_videos)
    for low in range(0, num_classes, step):
        high = min(low + step, num_classes)
        classes = np.broadcast_to(np.arange(low, high), (num_videos, high - low))
        keys = class_keys(classes.ravel(), scores[:, low:high].ravel(), labels[:, low:high].ravel())
        sums[low:high] = precision_sums(keys, low, high)
    return mean_over_classes(sums / np.maximum(positives, 1), positives, empty)


def mean_over_classes(average_precision: np.ndarray, positives: np.ndarray, empty: Empty) -> float:
    """Mean of float64 (C,) over all classes ("zero") or over those with `positives` (C,) > 0 ("skip")."""
    if empty not in ("skip", "zero"):
        raise UsageError(f'empty is {empty!r}, not "skip" or "zero"')
    counted = np.count_nonzero(positives) if empty == "skip" else len(positives)
    return float(np.sum(average_precision) / max(counted, 1))


def class_ranges(top: TopScores) -> Iterator[tuple[int, int, int]]:
    """Cut the classes into ranges [low, high) with at most `PAIRS` kept pairs each, or of one class.

    Yields:
        low, high and the number of kept pairs of the range.
    """
    counts = np.zeros(top.num_classes, dtype=np.int64)
    for rows in _blocks(top):
        counts += np.bincount(top.classes[rows].reshape(-1), minlength=top.num_classes)
    for low, high in cut(counts, PAIRS):
        yield low, high, int(counts[low:high].sum())


def _blocks(top: TopScores) -> Iterator[slice]:
    step = max(1, BLOCK // max(top.k, 1))
    return (slice(first, first + step) for first in range(0, len(top), step))


def _keys_of_range(top: TopScores, low: int, high: int, count: int) -> np.ndarray:
    keys, filled = np.empty(count, dtype=np.uint64), 0
    for rows in _blocks(top):
        classes, scores, hits = (a[rows].reshape(-1) for a in (top.classes, top.scores, top.hits))
        inside = np.flatnonzero((classes >= low) & (classes < high))
        part = slice(filled, filled + len(inside))
        keys[part] = class_keys(classes[inside], scores[inside], hits[inside])
        filled += len(inside)
    return keys


def precision_sums(keys: np.ndarray, low: int, high: int) -> np.ndarray:
    """Sum of the precision at each hit, float64 (high - low,), of pairs of the classes [low, high).

    Args:
        keys: `class_keys` of them; sorted in place.
        low, high: the range.
    """
    keys.sort()
    code = compiled.library()
    if code is not None:
        return compiled.precision_sums(code, keys, low, high)
    hits = np.flatnonzero(keys & np.uint64(1))
    of_hit = (keys[hits] >> np.uint64(33)).astype(np.int64)
    class_starts = np.searchsorted(keys, np.arange(low, high, dtype=np.uint64) << np.uint64(33))
    first_hits = np.searchsorted(of_hit, np.arange(low, high))
    found = np.arange(1, len(hits) + 1) - first_hits[of_hit - low]
    ranks = 1 + hits - class_starts[of_hit - low]
    sums: np.ndarray = np.bincount(of_hit - low, weights=found / ranks, minlength=high - low)
    return sums
