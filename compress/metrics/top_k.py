"""The k highest scores of each video, without sorting the others.

Source: google/youtube-8m `eval_util.top_k_triplets` (what is kept); the way is ours. Folding a row onto
itself with `maximum` leaves a few maxima of disjoint groups of classes; the k-th highest of those cannot
be above the k-th highest score, so the few scores from it upwards hold the answer, whatever the ties.

In C (native/top_k.c) where it is compiled, in NumPy otherwise: the same to the bit. One core, 3862 classes: C
2 us a video, NumPy 5 us, `torch.topk` and `np.argpartition(axis=1)` 8 us.
"""

from __future__ import annotations

import numpy as np

from compress.errors import UsageError
from compress.metrics import compiled
from compress.metrics.checks import CLASS_BITS, checked_scores, refuse_nan
from compress.metrics.ordering import descending

# 128 rows of 3862 float32 are 2 MB: they stay in the cache for the second look.
BLOCK_ROWS = 128
GROUPS_PER_K = 4
# One uint64 orders a candidate: 7 bits of row, 32 of score, 25 of class.
SCORE_BITS = 32


def top_k(scores: np.ndarray, k: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """The k highest scores of each video, highest first; among equal scores the smaller class first.

    Args:
        scores: (B, C) of any float type, read as float32; any range; no NaN.
        k: how many to keep; all C when there are fewer.

    Returns:
        values: float32 (B, min(k, C)), descending in each row.
        classes: int32 (B, min(k, C)).

    Raises:
        RecordError: a score is NaN.
        SchemaError: `scores` is not (B, C) of floats, or has no classes.
        UsageError: k < 1.

    Example:
        >>> values, classes = top_k(np.array([[0.25, 0.5, 0.5, 0.0]]), k=3)
        >>> classes.tolist()
        [[1, 2, 0]]
    """
    scores = checked_scores(scores)
    if k < 1:
        raise UsageError(f"k is {k}", hint="keep at least one score a video")
    k = min(k, scores.shape[1])
    library = compiled.library()
    if library is None or k > compiled.FEW:
        return _top_in_numpy(scores, k)
    values, classes, _ = compiled.top_of_rows(library, scores, k)
    return values, classes


def _top_in_numpy(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    rows = len(scores)
    classes = np.empty((rows, k), dtype=np.int32)
    for start in range(0, rows, BLOCK_ROWS):
        block = scores[start : start + BLOCK_ROWS]
        classes[start : start + BLOCK_ROWS] = _top_classes(block, k, first_row=start)
    return np.take_along_axis(scores, classes, axis=1), classes


def _top_classes(scores: np.ndarray, k: int, first_row: int) -> np.ndarray:
    maxima = _fold(scores, at_least=GROUPS_PER_K * k)
    if np.isnan(maxima).any():
        refuse_nan(scores, first_row)
    groups = maxima.shape[1]
    threshold = np.partition(maxima, groups - k, axis=1)[:, groups - k]
    candidates = np.flatnonzero(scores >= threshold[:, None])
    return _best_of(scores, candidates, k)


def _fold(scores: np.ndarray, at_least: int) -> np.ndarray:
    folded = scores
    while folded.shape[1] >= 2 * at_least:
        half = folded.shape[1] // 2
        maxima = np.maximum(folded[:, :half], folded[:, half : 2 * half])
        if folded.shape[1] % 2:
            np.maximum(maxima[:, 0], folded[:, -1], out=maxima[:, 0])
        folded = maxima
    return folded


def _best_of(scores: np.ndarray, candidates: np.ndarray, k: int) -> np.ndarray:
    num_rows, num_classes = scores.shape
    rows, classes = np.divmod(candidates, num_classes)
    keys = rows.astype(np.uint64) << np.uint64(CLASS_BITS + SCORE_BITS)
    keys |= descending(scores.reshape(-1)[candidates]).astype(np.uint64) << np.uint64(CLASS_BITS)
    keys |= classes.astype(np.uint64)
    keys.sort()
    counts = np.bincount(rows, minlength=num_rows)
    starts = np.cumsum(counts) - counts
    best: np.ndarray = keys[starts[:, None] + np.arange(k)] & np.uint64((1 << CLASS_BITS) - 1)
    return best.astype(np.int32)
