"""Exact nearest neighbours by looking at every row, block by block: what indexes are measured against."""

from __future__ import annotations

import numpy as np

from compress import faiss_engine
from compress.errors import SchemaError, UsageError
from compress.index import scan
from compress.index.vectors import ArrayRows, Rows, check_metric, comparable, numbered, spans
from compress.progress import Progress, Reporter, check_interrupt, silent

QUERIES_AT_ONCE = 4096


class NearestSoFar:
    """The k best rows of each query among the blocks seen so far.

    Args:
        queries: float32 (q, d), comparable (see `vectors.comparable`).
        k: how many rows to keep, >= 0; the caller sees to it that so many can be found.
        exclude: int64 (q,), one row for each query that must not be found (itself), or None.
    """

    def __init__(self, queries: np.ndarray, k: int, exclude: np.ndarray | None = None) -> None:
        self.queries, self._k, self._exclude = queries, k, exclude
        self.scores = np.full((len(queries), k), -np.inf, np.float32)
        self.rows = np.full((len(queries), k), -1, np.int64)

    def update(self, first: int, block: np.ndarray) -> None:
        """Look at one more block, float32 (b, d), whose first row has number `first`."""
        if self._k == 0:
            return
        wanted = min(self._k + (self._exclude is not None), len(block))
        for start in range(0, len(self.queries), QUERIES_AT_ONCE):
            part = np.arange(start, min(start + QUERIES_AT_ONCE, len(self.queries)))
            if scan.works(len(part), wanted):
                part = self._scan(part, first, block, wanted)
            if len(part):
                scores, rows = _compare(self.queries[part], block, wanted)
                self._merge(part, scores, rows + first)

    def _scan(self, part: np.ndarray, first: int, block: np.ndarray, wanted: int) -> np.ndarray:
        """Look at `block` for the queries `part`; those for which that has to be done in another way."""
        scores, rows, given_up = scan.best_rows(
            self.queries[part], block, wanted, self.scores[part, -1], faiss_engine.threads()
        )
        done = ~given_up
        self._merge(part[done], scores[done], np.where(rows < 0, -1, rows + first)[done])
        return part[given_up]

    def _merge(self, part: np.ndarray, scores: np.ndarray, rows: np.ndarray) -> None:
        if self._exclude is not None:
            scores = np.where(rows == self._exclude[part, None], -np.inf, scores)
        scores = np.concatenate([self.scores[part], scores], axis=1)
        rows = np.concatenate([self.rows[part], rows], axis=1)
        best = np.lexsort((rows, -scores))[:, : self._k]  # Equal scores: the smaller row first.
        self.scores[part] = np.take_along_axis(scores, best, axis=1)
        self.rows[part] = np.take_along_axis(rows, best, axis=1)


def _compare(queries: np.ndarray, block: np.ndarray, wanted: int) -> tuple[np.ndarray, np.ndarray]:
    engine = faiss_engine.faiss()
    faiss_engine.prefer_matrix_products(block.shape[1])
    scores, rows = engine.knn(queries, block, wanted, metric=engine.METRIC_INNER_PRODUCT)
    return scores, rows


def exact_neighbours(
    queries: np.ndarray,
    base: Rows | np.ndarray,
    k: int,
    metric: str = "cosine",
    exclude: np.ndarray | None = None,
    report: Reporter = silent,
) -> np.ndarray:
    """The k rows of `base` most similar to each query, best first, found by comparing with every row.

    Memory beyond the inputs stays near 100 MB, however large `base` is (a store, or a mapped matrix).

    Args:
        queries: float (q, d).
        base: a store, or float (n, d).
        k: neighbours of each query, >= 1; capped to the number of rows that may be found.
        metric: "cosine" or "ip".
        exclude: int (q,), each query's own row in `base`, so that it does not find itself; None: nothing.

    Returns:
        int64 (q, min(k, n)), or (q, min(k, n - 1)) with `exclude`.

    Raises:
        SchemaError: queries and base differ in dimensions.
        RecordError: NaN, Inf or, for cosine, an all-zero row or query.
        UsageError: k < 1, or an unknown metric.
    """
    check_metric(metric)
    if k < 1:
        raise UsageError(f"k is {k}, but must be at least 1", where="k")
    rows = ArrayRows(base) if isinstance(base, np.ndarray) else base
    check_dims(queries, rows.dim)
    available = len(rows) - (exclude is not None)
    if min(k, available) < 1 or len(queries) == 0:
        return np.empty((len(queries), max(0, min(k, available))), np.int64)
    ready = comparable(np.asarray(queries, np.float32), metric, numbered("query"))
    nearest = NearestSoFar(ready, min(k, available), exclude)
    for span in spans(range(len(rows)), rows.dim):
        check_interrupt("nothing was written; run the same command again")
        block = comparable(rows.decode(span.start, span.stop), metric, numbered("row", span.start))
        nearest.update(span.start, block)
        report(Progress("exact neighbours", span.stop, len(rows)))
    return nearest.rows


def check_dims(queries: np.ndarray, dim: int) -> None:
    """Raise SchemaError unless `queries` is (q, dim)."""
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise SchemaError(
            f"queries have shape {queries.shape}, but the videos have {dim} dimensions",
            where="queries",
            hint="use vectors made by the same encoder",
        )
