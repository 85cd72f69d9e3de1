"""The metrics once more, as loops straight from their definitions. Slow, and obvious on purpose."""

from __future__ import annotations

import math

import numpy as np


def random_batch(
    seed: int, videos: int, classes: int, *, ties: bool, density: float = 0.2
) -> tuple[np.ndarray, np.ndarray]:
    """Scores float32 in [0, 1] (with many equal ones, zeros too, or with none) and bool labels."""
    draws = np.random.default_rng(seed)
    if ties:
        scores = draws.integers(0, 6, (videos, classes)) / 5
    else:
        scores = (1 + draws.permutation(videos * classes).reshape(videos, classes)) / (videos * classes + 1)
    return scores.astype(np.float32), draws.random((videos, classes)) < density


def top_classes(row: np.ndarray, k: int) -> list[int]:
    return sorted(range(len(row)), key=lambda c: (-row[c], c))[:k]


def average_precision(pairs: list[tuple[float, bool]], positives: int) -> float:
    """Higher scores first, misses before hits among equals; 0 without positives."""
    found, total = 0, 0.0
    for rank, (_, hit) in enumerate(sorted(pairs, key=lambda pair: (-pair[0], pair[1])), start=1):
        if hit:
            found += 1
            total += found / rank
    return total / positives if positives else 0.0


def gap(scores: np.ndarray, labels: np.ndarray, k: int = 20) -> float:
    pairs = [(s[c], bool(y[c])) for s, y in zip(scores, labels, strict=True) for c in top_classes(s, k)]
    return average_precision(pairs, int(labels.sum()))


def mean_average_precision(scores: np.ndarray, labels: np.ndarray, empty: str, k: int = 20) -> float:
    pairs: list[list[tuple[float, bool]]] = [[] for _ in range(scores.shape[1])]
    for s, y in zip(scores, labels, strict=True):
        for c in top_classes(s, k):
            pairs[c].append((s[c], bool(y[c])))
    each = [average_precision(pairs[c], int(labels[:, c].sum())) for c in range(scores.shape[1])]
    if empty == "skip":
        each = [value for c, value in enumerate(each) if labels[:, c].any()]
    return sum(each) / len(each) if each else 0.0


def perr(scores: np.ndarray, labels: np.ndarray) -> float:
    shares = []
    for s, y in zip(scores, labels, strict=True):
        n = int(y.sum())
        found = sum(1 for c in top_classes(s, n) if y[c] and s[c] > 0)
        shares.append(found / n if n else 0.0)
    return sum(shares) / len(shares)


def hit_at_one(scores: np.ndarray, labels: np.ndarray) -> float:
    return sum(bool(y[top_classes(s, 1)[0]]) for s, y in zip(scores, labels, strict=True)) / len(scores)


def all_figures(scores: np.ndarray, labels: np.ndarray, k: int = 20) -> dict[str, float]:
    return {
        "gap": gap(scores, labels, k),
        "map": mean_average_precision(scores, labels, "skip", k),
        "map_with_empty_as_zero": mean_average_precision(scores, labels, "zero", k),
        "perr": perr(scores, labels),
        "hit_at_one": hit_at_one(scores, labels),
    }


# Retrieval: labels are lists of sets here.


def label_precision(neighbours: list[int], query: set[int], base: list[set[int]]) -> float:
    return sum(1 for row in neighbours if row >= 0 and query & base[row]) / len(neighbours)


def retrieval_average_precision(neighbours: list[int], query: set[int], base: list[set[int]]) -> float:
    related = sum(1 for labels in base if query & labels)
    found, total = 0, 0.0
    for rank, row in enumerate(neighbours, start=1):
        if row >= 0 and query & base[row]:
            found += 1
            total += found / rank
    return total / min(len(neighbours), related) if related else 0.0


def jaccard(a: set[int], b: set[int]) -> float:
    return len(a & b) / len(a | b) if a | b else 0.0


def ndcg(neighbours: list[int], query: set[int], base: list[set[int]]) -> float:
    gains = [jaccard(query, base[row]) if row >= 0 else 0.0 for row in neighbours]
    best = sorted((jaccard(query, labels) for labels in base), reverse=True)
    ideal = discounted(best[: len(neighbours)])
    return discounted(gains) / ideal if ideal else 0.0


def discounted(gains: list[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))
