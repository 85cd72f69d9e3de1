"""Exact nearest neighbours by comparing with every row, block by block: the truth for measuring recall.

Few queries are compared by FAISS. Many are scored in bfloat16 by C code (native/scan.c), up to three times
faster; every row that rounding could have kept out of the k best is scored again in float64. The bound
follows from the norms of the rounding errors, so nothing is lost; a query with too many rows within the bound
is left to FAISS. The scan needs a CPU with AVX512-BF16; COMPRESS_NATIVE=off turns it off like all C code.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from compress import faiss_engine, native
from compress.errors import UnavailableError, UsageError
from compress.index.rows import ArrayStore, Rows, as_queries, check_metric, comparable, numbered, spans
from compress.progress import Progress, Reporter, check_interrupt, silent

QUERIES_AT_ONCE = 4096
FOLDER = Path(__file__).parent / "native"
# With fewer, FAISS is as fast: packing the rows costs the same for one query as for a thousand.
MIN_QUERIES = 48
MAX_NEIGHBOURS = 128
_ROWS_A_THREAD = 1024
_MOST_ROWS = 2**31 - 1  # The C code numbers rows in 32 bits.


class NearestSoFar:
    """The k best rows of each query among the blocks seen so far.

    Args:
        queries: float32 (q, d), comparable (see `rows.comparable`).
        k: how many rows to keep, >= 0; the caller makes sure that there are enough.
        exclude: int64 (q,), a row that each query must not find (itself), or None.
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
            if scan_works(len(part), wanted):
                part = self._scan(part, first, block, wanted)
            if len(part):
                scores, rows = _compare(self.queries[part], block, wanted)
                self._merge(part, scores, rows + first)

    def _scan(self, part: np.ndarray, first: int, block: np.ndarray, wanted: int) -> np.ndarray:
        """Scan `block` for the queries `part`; returns the queries that are left to FAISS."""
        scores, rows, given_up = scan_rows(
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

    Memory beyond the inputs stays near 100 MB, however large `base` is (a store, or a mapped matrix). A row
    of zeros has a cosine of 0 to every query.

    Args:
        queries: float (q, d).
        base: a store, or float (n, d).
        k: neighbours of each query, >= 1; capped to the number of rows that may be found.
        metric: "cosine" or "ip".
        exclude: int (q,), each query's own row in `base`, so that it does not find itself; None for none.

    Returns:
        int64 (q, min(k, n)), or (q, min(k, n - 1)) with `exclude`.

    Raises:
        SchemaError: queries and base differ in dimensions.
        RecordError: NaN, Inf or, for cosine, an all-zero query.
        UsageError: k < 1, or an unknown metric.
    """
    check_metric(metric)
    if k < 1:
        raise UsageError(f"k is {k}, but must be at least 1", where="k")
    rows = ArrayStore(base) if isinstance(base, np.ndarray) else base
    asked = as_queries(queries, rows.dim)
    available = len(rows) - (exclude is not None)
    if min(k, available) < 1 or len(asked) == 0:
        return np.empty((len(asked), max(0, min(k, available))), np.int64)
    ready = comparable(asked, metric, numbered("query"))
    nearest = NearestSoFar(ready, min(k, available), exclude)
    for span in spans(range(len(rows)), rows.dim):
        check_interrupt("nothing was written; run the same command again")
        decoded = rows.decode(span.start, span.stop)
        block = comparable(decoded, metric, numbered("row", span.start), keep_zeros=True)
        nearest.update(span.start, block)
        report(Progress("exact neighbours", span.stop, len(rows)))
    return nearest.rows


def scan_works(num_queries: int, k: int) -> bool:
    """Whether this machine has the scan, and it is faster for so many queries and neighbours."""
    library = native.load(FOLDER)
    fits = num_queries >= MIN_QUERIES and 1 <= k <= MAX_NEIGHBOURS
    return fits and library is not None and bool(library.scan_works())


def scan_rows(
    queries: np.ndarray, rows: np.ndarray, k: int, at_least: np.ndarray, threads: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The k rows of highest inner product for each query, among those that score `at_least` or more.

    Args:
        queries: float32 (q, d), finite; all inner products must be finite, too.
        rows: float32 (n, d), n >= 1, likewise; in memory or mapped.
        k: >= 1.
        at_least: float32 (q,); -inf takes every row. Rows below it may or may not be returned.
        threads: >= 1.

    Returns:
        (scores float32 (q, m), rows int64 (q, m), given_up bool (q,)), m >= k, unordered, -inf and -1 where
        fewer were found. Scores are rounded from float64; those of a query that was given up are undefined.

    Raises:
        UnavailableError: not enough memory.
    """
    queries, rows = (np.ascontiguousarray(array, np.float32) for array in (queries, rows))
    at_least = np.ascontiguousarray(at_least, np.float32)
    step = min(max(_ROWS_A_THREAD, -(-len(rows) // threads)), _MOST_ROWS)
    starts = range(0, len(rows), step)
    if len(starts) == 1:
        return _scan(queries, rows, 0, k, at_least)
    with ThreadPoolExecutor(threads) as pool:
        parts = list(
            pool.map(lambda start: _scan(queries, rows[start : start + step], start, k, at_least), starts)
        )
    scores, found, given_up = zip(*parts, strict=True)
    return np.concatenate(scores, axis=1), np.concatenate(found, axis=1), np.any(given_up, axis=0)


def _scan(
    queries: np.ndarray, rows: np.ndarray, first: int, k: int, at_least: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    library = native.load(FOLDER)
    assert library is not None
    library.scan_rows.restype = ctypes.c_int64
    scores = np.full((len(queries), k), -np.inf, np.float32)
    found = np.full((len(queries), k), -1, np.int32)
    given_up = np.zeros(len(queries), np.uint8)
    sizes = [ctypes.c_int64(size) for size in (len(rows), *queries.shape, k)]
    scored_twice = library.scan_rows(
        _pointer(rows),
        sizes[0],
        _pointer(queries),
        *sizes[1:],
        *map(_pointer, (at_least, scores, found, given_up)),
    )
    if scored_twice < 0:
        raise UnavailableError("not enough memory to compare videos", hint="close other programs")
    return scores, np.where(found < 0, -1, found.astype(np.int64) + first), given_up.astype(bool)


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
