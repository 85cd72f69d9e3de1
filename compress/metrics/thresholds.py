"""From which score on a class is given to a video: what gives the highest F1 on labelled videos.

F1 = 2 TP / (predicted + labels). A class is predicted for a video if it is among the video's top K scores and
reaches its threshold; labels outside the top K count as missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.errors import DataError
from compress.metrics.top_scores import TopScores

ENOUGH = 10
"""Videos that must carry a class before its own threshold is better than the one of all classes."""


@dataclass(frozen=True, eq=False)
class Thresholds:
    """What was chosen on N videos.

    Args:
        everywhere: the one score for all classes that gives the highest F1 of all predictions together.
        by_class: float32 (C,): the score that gives the highest F1 of a class; `everywhere` for a class that
            fewer than ENOUGH videos carry, or that is in no top K.
        positives: int64 (C,): videos that carry the class.
        f1_everywhere, f1_by_class: F1 of all predictions together, on the same N videos.
        own: how many classes have a threshold of their own.
    """

    everywhere: float
    by_class: np.ndarray
    positives: np.ndarray
    f1_everywhere: float
    f1_by_class: float
    own: int


def choose_thresholds(top: TopScores, enough: int = ENOUGH) -> Thresholds:
    """The thresholds with the highest F1 on these videos; among equal ones the highest.

    Raises:
        DataError: no video has a label.
    """
    classes, scores, hits = top.classes.reshape(-1), top.scores.reshape(-1), top.hits.reshape(-1)
    positives = np.bincount(top.label_classes, minlength=top.num_classes).astype(np.int64)
    if not positives.any():
        raise DataError("no video has a label, so no threshold can be chosen")
    everywhere = _best(scores, hits, int(positives.sum()))
    order = np.lexsort((-scores, classes))
    starts = np.searchsorted(classes[order], np.arange(top.num_classes + 1))
    by_class = np.full(top.num_classes, everywhere, dtype=np.float32)
    own = 0
    for number in np.flatnonzero((positives >= enough) & (np.diff(starts) > 0)):
        mine = order[starts[number] : starts[number + 1]]
        by_class[number] = _best(scores[mine], hits[mine], int(positives[number]))
        own += 1
    return Thresholds(
        everywhere,
        by_class,
        positives,
        _f1(hits, scores >= np.float32(everywhere), positives),
        _f1(hits, scores >= by_class[classes], positives),
        own,
    )


def _best(scores: np.ndarray, hits: np.ndarray, positives: int) -> float:
    """The threshold of the highest F1, of float32 (n,) with n >= 1."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    f1 = 2 * np.cumsum(hits[order]) / (np.arange(1, len(order) + 1) + positives)
    f1[:-1][ranked[1:] == ranked[:-1]] = -1  # equal scores are predicted together or not at all
    place = int(np.argmax(f1))
    return float(ranked[place])


def _f1(hits: np.ndarray, predicted: np.ndarray, positives: np.ndarray) -> float:
    return float(2 * np.count_nonzero(hits & predicted) / (np.count_nonzero(predicted) + positives.sum()))
