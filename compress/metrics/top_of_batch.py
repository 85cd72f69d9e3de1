"""What the metrics keep of one batch of scores."""

from __future__ import annotations

import ctypes

import numpy as np

from compress.metrics import compiled
from compress.metrics.checks import checked_labels, checked_scores
from compress.metrics.label_lists import label_lists
from compress.metrics.perr import precision_at_equal_recall
from compress.metrics.top_k import top_k
from compress.metrics.top_scores import TopScores, class_type


def top_of_batch(scores: np.ndarray, labels: np.ndarray, k: int = 20) -> TopScores:
    """The top k of each video of a batch, and its labels; several threads may call it at once.

    Args:
        scores: (B, C) of any float type, read as float32; probabilities (PERR counts no score at or below 0,
            the other metrics take any range); no NaN.
        labels: bool (B, C).
        k: scores kept a video, at least 1; all C when there are fewer.

    Raises:
        RecordError: a score is NaN.
        SchemaError: shapes or types do not fit.
        UsageError: k < 1.
    """
    scores = checked_scores(scores)
    labels = checked_labels(labels, scores.shape)
    code = compiled.library()
    if code is None or not 1 <= k <= compiled.FEW:
        return _in_numpy(scores, labels, k)
    return _compiled(code, scores, labels, min(k, scores.shape[1]))


def _compiled(code: ctypes.CDLL, scores: np.ndarray, labels: np.ndarray, k: int) -> TopScores:
    listed = label_lists(labels)
    values, classes, marks = compiled.top_of_rows(code, scores, k, (labels, listed.counts))
    assert marks is not None
    return _top_scores(scores, (values, classes), marks, listed)


def _in_numpy(scores: np.ndarray, labels: np.ndarray, k: int) -> TopScores:
    values, classes = top_k(scores, k)
    shares = precision_at_equal_recall(scores, labels, (values, classes))
    marks = compiled.Marks(np.take_along_axis(labels, classes, axis=1), shares)
    return _top_scores(scores, (values, classes), marks, label_lists(labels))


def _top_scores(
    scores: np.ndarray, top: tuple[np.ndarray, np.ndarray], marks: compiled.Marks, labels: compiled.Labels
) -> TopScores:
    num_classes = scores.shape[1]
    indptr = np.zeros(len(scores) + 1, dtype=np.int64)
    np.cumsum(labels.counts, out=indptr[1:])
    narrow = class_type(num_classes)
    return TopScores(
        top[0],
        top[1].astype(narrow),
        marks.hits,
        indptr,
        labels.classes.astype(narrow),
        marks.shares,
        num_classes,
    )
