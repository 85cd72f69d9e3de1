"""GAP@20, Hit@1 and PERR the way the starter code of the YouTube-8M challenge does it, written anew.

Its ways, from `eval_util.py` and `average_precision_calculator.py`: a partition for each video, lists of
pairs, a heap of all pairs, and a sort of shuffled indices at the end. What it does for MAP, which is slower
still, is left out. Its shuffle resets the global random state; here it has one of its own.
"""

from __future__ import annotations

import heapq
import random

import numpy as np


class StarterMetrics:
    """Keeps about 130 bytes a pair: 2.8 GB for the 20 pairs of each of 1.1 million videos."""

    def __init__(self, k: int = 20) -> None:
        self._k, self._heap = k, list[tuple[float, float]]()
        self._hits, self._perr, self._videos, self._positives = 0.0, 0.0, 0, 0.0

    def accumulate(self, scores: np.ndarray, labels: np.ndarray) -> None:
        """Take in a batch: scores float32 (B, C) and labels (B, C), 1 where the video has the class."""
        self._videos += len(scores)
        self._positives += float(np.sum(labels))
        self._hits += hit_at_one(scores, labels) * len(scores)
        self._perr += precision_at_equal_recall_rate(scores, labels) * len(scores)
        for row, actual in zip(scores, labels, strict=True):
            for _, score, label in top_triplets(row, actual, self._k):
                heapq.heappush(self._heap, (score, label))

    def figures(self) -> dict[str, float]:
        """{"gap", "hit_at_one", "perr"} of the videos so far."""
        return {
            "gap": average_precision(self._heap, self._positives),
            "hit_at_one": self._hits / self._videos,
            "perr": self._perr / self._videos,
        }


def top_triplets(scores: np.ndarray, labels: np.ndarray, k: int) -> list[tuple[int, float, float]]:
    """(class, score, label) of the k highest scores of one video, in no order."""
    k = min(k, len(scores))
    chosen = np.argpartition(scores, -k)[-k:]
    return [(int(index), scores[index], labels[index]) for index in chosen]


def hit_at_one(scores: np.ndarray, labels: np.ndarray) -> float:
    """Share of videos whose highest score is right."""
    top = np.argmax(scores, 1)
    return float(np.average(labels[np.arange(labels.shape[0]), top]))


def precision_at_equal_recall_rate(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over videos of the share of labels among as many highest scores."""
    total = 0.0
    for row, actual in zip(scores, labels, strict=True):
        num_labels = int(np.sum(actual))
        if num_labels == 0:
            continue
        item = 0.0
        for index in np.argpartition(row, -num_labels)[-num_labels:]:
            if row[index] > 0:
                item += actual[index]
        total += item / num_labels
    return total / len(scores)


def average_precision(pairs: list[tuple[float, float]], positives: float) -> float:
    """Average precision of (score, label) pairs, ties in random order."""
    if positives == 0:
        return 0.0
    scores, labels = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    shuffled = random.Random(0).sample(range(len(scores)), len(scores))
    scores, labels = scores[shuffled], labels[shuffled]
    ranked = sorted(range(len(scores)), key=lambda place: scores[place], reverse=True)
    found = total = 0.0
    for rank, place in enumerate(ranked):
        if labels[place] > 0:
            found += 1
            total += found / (rank + 1) / positives
    return total
