"""Diverse results: maximal marginal relevance, and the query that several videos make together.

Source: Carbonell and Goldstein 1998, The use of MMR, diversity-based reranking (SIGIR).
"""

from __future__ import annotations

import numpy as np

from compress.errors import RecordError
from compress.index.rows import comparable, numbered


def mmr(relevance: np.ndarray, vectors: np.ndarray, k: int, balance: float) -> np.ndarray:
    """The places of k candidates, each as relevant as possible and unlike those before it.

    The next one has the highest balance * relevance - (1 - balance) * similarity, the latter to the most
    similar one of those before it. Of equals the first one comes first.

    Args:
        relevance: float (m,), similarities to the query.
        vectors: float32 (m, d), comparable (see `rows.comparable`).
        k: how many; m when there are no more.
        balance: in [0, 1]; 1 is the order of relevance.

    Returns:
        int64 (min(k, m),).

    Example:
        >>> twins = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
        >>> mmr(np.array([0.9, 0.9, 0.5]), twins, 2, 0.5).tolist()
        [0, 2]
    """
    value = balance * relevance.astype(np.float64)
    nearest = np.full(len(value), -np.inf)
    left = np.ones(len(value), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(k, len(value)):
        penalty = (1 - balance) * nearest if chosen else 0.0
        place = int(np.argmax(np.where(left, value - penalty, -np.inf)))
        chosen.append(place)
        left[place] = False
        nearest = np.maximum(nearest, vectors @ vectors[place])
    return np.array(chosen, dtype=np.int64)


def mean_query(vectors: np.ndarray, metric: str) -> np.ndarray:
    """The query that several embeddings make together, float32 (d,): their mean, of unit vectors for cosine.

    Args:
        vectors: float32 (n, d), n >= 1.
        metric: "cosine" or "ip".

    Raises:
        RecordError: an embedding has no cosine, or they cancel each other out.
    """
    if len(vectors) == 1:
        return vectors[0]
    mean = comparable(vectors, metric, numbered("video")).mean(axis=0, dtype=np.float64).astype(np.float32)
    if metric == "cosine" and np.linalg.norm(mean) < 1e-6:
        raise RecordError("the embeddings of these videos cancel each other out", hint="search for fewer")
    return mean
