"""PERR, precision at equal recall rate: how many of a video's labels are among as many of its highest scores.

Source: google/youtube-8m `eval_util.calculate_precision_at_equal_recall_rate`.
"""

from __future__ import annotations

import numpy as np

from compress.metrics.checks import checked_labels, checked_scores
from compress.metrics.exact_sum import exact_sum
from compress.metrics.gap import require_videos
from compress.metrics.top_k import top_k
from compress.metrics.top_scores import TopScores


def perr(top: TopScores) -> float:
    """Mean of `precision_at_equal_recall` over all N >= 1 videos, in [0, 1], the same whatever their order.

    Raises:
        DataError: there are no videos.
    """
    require_videos(top)
    return exact_sum([top.precision_at_equal_recall]) / len(top)


def precision_at_equal_recall(
    scores: np.ndarray, labels: np.ndarray, top: tuple[np.ndarray, np.ndarray] | None = None
) -> np.ndarray:
    """For each video with n labels, the share of labels among its n highest scores; n may exceed 20.

    A score of 0 or below never counts, as in the reference, so pass probabilities: log-odds, which are below
    0 for every class that is less likely than not, would lose hits here (all other metrics take any range).
    Among equal scores the smaller class comes first.

    Args:
        scores: (B, C) of any float type, read as float32; in [0, 1]; no NaN.
        labels: bool (B, C).
        top: `top_k` of these scores, when it is at hand: (values (B, K), classes (B, K)).

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
