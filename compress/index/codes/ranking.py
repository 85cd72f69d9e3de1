"""The best rows of each query among scores that come block by block."""

from __future__ import annotations

import numpy as np


class Ranking:
    """The k highest scores so far, equal ones in the order of their rows.

    Args:
        queries: how many, >= 1.
        k: rows to keep of each, >= 1.
    """

    def __init__(self, queries: int, k: int) -> None:
        self._k = k
        self._scores = [np.empty(0, np.float32)] * queries
        self._rows = [np.empty(0, np.int64)] * queries

    def add(self, first: int, scores: np.ndarray) -> None:
        """One more block, float32 (queries, n), whose first row is `first`; blocks come in any order."""
        for query, block in enumerate(scores):
            known = self._scores[query]
            # A row that ties with the k-th may come before it.
            candidates = (
                np.flatnonzero(block >= known[-1]) if len(known) == self._k else _best(block, self._k)
            )
            if len(candidates):
                self._merge(query, block[candidates], candidates + first)

    def add_ranking(self, other: Ranking) -> None:
        """What was found among other rows."""
        for query in range(len(self._scores)):
            self._merge(query, other._scores[query], other._rows[query])

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """(scores float32 (queries, k), rows int64 (queries, k)), best first; at least k rows were added."""
        return np.stack(self._scores), np.stack(self._rows)

    def _merge(self, query: int, scores: np.ndarray, rows: np.ndarray) -> None:
        scores = np.concatenate([self._scores[query], scores])
        rows = np.concatenate([self._rows[query], rows])
        if len(scores) > self._k:
            kept = _best(scores, self._k)
            scores, rows = scores[kept], rows[kept]
        order = np.lexsort((rows, -scores))[: self._k]
        self._scores[query], self._rows[query] = scores[order], rows[order]


def _best(scores: np.ndarray, k: int) -> np.ndarray:
    """Places of the k highest of `scores` (n,), and of all that tie with the last of them."""
    if len(scores) <= k:
        return np.arange(len(scores))
    return np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[len(scores) - k])
