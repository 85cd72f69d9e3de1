"""Exact search for many queries at once, in bfloat16 with proof: up to three times faster than in float32.

C code (native/scan.c) scores every row in bfloat16, and once more, in float64, each row that rounding could
have kept out of the k best. The bound is proved from the norms of what rounding took away, so nothing is
lost; a query with too many rows within the bound is given back. It needs a CPU with AVX512-BF16 and is
switched off with the other C code by COMPRESS_NATIVE=off; `works` tells.
"""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from compress import native
from compress.errors import UnavailableError

FOLDER = Path(__file__).parent / "native"
# Below, FAISS is as fast: packing the rows costs the same for one query as for a thousand.
MIN_QUERIES = 48
MAX_NEIGHBOURS = 128
_ROWS_A_THREAD = 1024
_MOST_ROWS = 2**31 - 1  # The C code numbers rows in 32 bits.


def works(num_queries: int, k: int) -> bool:
    """Whether this machine has the scan, and it pays for so many queries and neighbours."""
    library = native.load(FOLDER)
    fits = num_queries >= MIN_QUERIES and 1 <= k <= MAX_NEIGHBOURS
    return fits and library is not None and bool(library.scan_works())


def best_rows(
    queries: np.ndarray, rows: np.ndarray, k: int, at_least: np.ndarray, threads: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The k rows of highest inner product for each query, among those that score `at_least` or more.

    Args:
        queries: float32 (q, d), finite; all inner products must be finite, too.
        rows: float32 (n, d), n >= 1, likewise; in memory or mapped.
        k: >= 1.
        at_least: float32 (q,); -inf takes every row. Rows below may be returned, or not.
        threads: >= 1.

    Returns:
        (scores float32 (q, m), rows int64 (q, m), given_up bool (q,)), m >= k, in no order, -inf and -1 where
        fewer were found. Scores are rounded from float64. Those of a query that was given up mean nothing.

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
