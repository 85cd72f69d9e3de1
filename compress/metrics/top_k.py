"""The k highest scores of each video of a batch, without sorting the others.

Source: google/youtube-8m `eval_util.top_k_triplets` (what is kept); the algorithm is ours. Folding a row onto
itself with `maximum` leaves a few maxima of disjoint groups of classes. The k-th highest of those cannot be
above the k-th highest score, so the few scores from it upwards contain the answer, whatever the ties.

In C (native/top_k.c) if compiled, else in NumPy, with the same bits. On one core with 3862 classes: C 2 us
per video, NumPy 5 us, `torch.topk` and `np.argpartition(axis=1)` 8 us.
"""

from __future__ import annotations

import numpy as np

from compress.errors import UsageError
from compress.metrics import compiled
from compress.metrics.checks import CLASS_BITS, checked_labels, checked_scores, refuse_nan
from compress.metrics.ranking import descending
from compress.metrics.top_scores import TopScores, class_type

# 128 rows of 3862 float32 are 2 MB: they stay in the cache for the second pass.
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
        raise UsageError(f"k is {k}", hint="keep at least one score per video")
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


def top_of_batch(scores: np.ndarray, labels: np.ndarray, k: int = 20) -> TopScores:
    """The top k of each video of a batch, and its labels; several threads may call it at once.

    Args:
        scores: (B, C) of any float type, read as float32; probabilities (PERR ignores scores at or below 0,
            the other metrics take any range); no NaN.
        labels: bool (B, C).
        k: scores kept per video, at least 1; all C when there are fewer.

    Raises:
        RecordError: a score is NaN.
        SchemaError: shapes or types do not fit.
        UsageError: k < 1.
    """
    scores = checked_scores(scores)
    labels = checked_labels(labels, scores.shape)
    num_classes, listed = scores.shape[1], label_lists(labels)
    code = compiled.library()
    if code is not None and 1 <= k <= compiled.FEW:
        mask = (labels, listed.counts)
        values, classes, marks = compiled.top_of_rows(code, scores, min(k, num_classes), mask)
        assert marks is not None
    else:
        values, classes = top_k(scores, k)
        shares = precision_at_equal_recall(scores, labels, (values, classes))
        marks = compiled.Marks(np.take_along_axis(labels, classes, axis=1), shares)
    indptr = np.zeros(len(scores) + 1, dtype=np.int64)
    np.cumsum(listed.counts, out=indptr[1:])
    kind = class_type(num_classes)
    return TopScores(
        values,
        classes.astype(kind),
        marks.hits,
        indptr,
        listed.classes.astype(kind),
        marks.shares,
        num_classes,
    )


def precision_at_equal_recall(
    scores: np.ndarray, labels: np.ndarray, top: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """For each video with n labels, the share of labels among its n highest scores; n may exceed 20.

    A score of 0 or below never counts, as in the reference, so pass probabilities: logits are negative for
    unlikely classes and would lose hits (all other metrics take any range). Among equal scores the smaller
    class comes first.

    Args:
        scores: (B, C) of any float type, read as float32; in [0, 1]; no NaN.
        labels: bool (B, C).
        top: `top_k` of these scores, if known: (values (B, K), classes (B, K)).

    Returns:
        float64 (B,) in [0, 1]; 0 for a video without labels.

    Raises:
        RecordError: a score is NaN.
        SchemaError: shapes or types do not fit together.

    Example:
        >>> precision_at_equal_recall(np.array([[0.9, 0.8, 0.1]]), np.array([[True, False, True]])).tolist()
        [0.5]
    """
    scores, labels = checked_scores(scores), checked_labels(labels, scores.shape)
    num_labels = np.count_nonzero(labels, axis=1)
    values, classes = top_k(scores) if top is None else top
    shares = _share(values, classes, labels, num_labels)
    longer = np.flatnonzero(num_labels > values.shape[1])
    if len(longer):
        values, classes = top_k(scores[longer], int(num_labels[longer].max()))
        shares[longer] = _share(values, classes, labels[longer], num_labels[longer])
    return shares


def _share(values: np.ndarray, classes: np.ndarray, labels: np.ndarray, num_labels: np.ndarray) -> np.ndarray:
    counted = (np.arange(values.shape[1]) < num_labels[:, None]) & (values > 0)
    found = np.count_nonzero(counted & np.take_along_axis(labels, classes, axis=1), axis=1)
    shares: np.ndarray = found / np.maximum(num_labels, 1)
    return shares


def label_lists(labels: np.ndarray) -> compiled.Labels:
    """Which classes each video of a bool (B, C) batch has, one video after the other."""
    code = compiled.library()
    if code is not None:
        return compiled.list_labels(code, labels)
    video_of_label, classes = np.divmod(np.flatnonzero(labels), labels.shape[1])
    return compiled.Labels(np.bincount(video_of_label, minlength=len(labels)), classes.astype(np.int32))
