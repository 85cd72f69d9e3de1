"""Rows on their way into FAISS: decoded in blocks, checked, and normalised when the metric is cosine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from compress.codecs import Codec
from compress.errors import RecordError, UsageError

BLOCK_BYTES = 32 * 2**20


class Rows(Protocol):
    """What the index needs of a store: N rows of `dim` numbers that can be decoded piece by piece."""

    @property
    def dim(self) -> int: ...
    def __len__(self) -> int: ...
    def decode(self, start: int, stop: int) -> np.ndarray: ...


class ArrayRows:
    """A matrix (n, d) of any float type, in memory or mapped, as `Rows`."""

    def __init__(self, matrix: np.ndarray) -> None:
        self._matrix = matrix
        self.dim = int(matrix.shape[1])

    def __len__(self) -> int:
        return len(self._matrix)

    def decode(self, start: int, stop: int) -> np.ndarray:
        return np.asarray(self._matrix[start:stop], dtype=np.float32)


class Store(Rows, Protocol):
    """What the index needs of a store besides its rows.

    `codes` (N, width) is what `codec` made of the rows, and takes slices.
    """

    @property
    def codec(self) -> Codec: ...
    @property
    def codes(self) -> Any: ...
    @property
    def id_bytes(self) -> np.ndarray: ...
    @property
    def sha256(self) -> str: ...
    @property
    def splits(self) -> Mapping[str, range]: ...
    def rows(self, indices: np.ndarray) -> np.ndarray: ...


def check_metric(metric: str) -> None:
    """Raise UsageError unless `metric` is "cosine" or "ip"."""
    if metric not in ("cosine", "ip"):
        raise UsageError(f"unknown metric {metric!r}", where="metric", hint='use "cosine" or "ip"')


def comparable(vectors: np.ndarray, metric: str, name: Callable[[int], str]) -> np.ndarray:
    """Rows whose inner product is the metric.

    Args:
        vectors: float32 (n, d).
        metric: "cosine" divides each row by its L2 norm; "ip" leaves it as it is.
        name: what to call row i of `vectors` in an error.

    Returns:
        float32 (n, d), contiguous.

    Raises:
        RecordError: a row holds NaN or Inf; a row is all zeros, so that it has no direction (cosine); or a
            row is so long that float32 inner products overflow (ip).
    """
    # A float64 sum of float32 squares cannot overflow: it is finite exactly when every number is.
    squares = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    _refuse(~np.isfinite(squares), "holds NaN or Inf", name)
    if metric == "ip":
        _refuse(squares > np.finfo(np.float32).max / 4, "is too long for inner products in float32", name)
        return np.ascontiguousarray(vectors, dtype=np.float32)
    _refuse(squares == 0, "is all zeros and so has no cosine", name, hint="leave it out, or use --metric ip")
    return _unit(vectors, np.sqrt(squares))


def _unit(vectors: np.ndarray, norms: np.ndarray) -> np.ndarray:
    # In float32, three times the speed, but for norms that float32 cannot hold to all its digits.
    odd = (norms < 1e-30) | (norms > 1e30)
    unit = np.empty(vectors.shape, np.float32)
    np.divide(vectors, np.where(odd, 1, norms).astype(np.float32)[:, None], out=unit, casting="same_kind")
    unit[odd] = vectors[odd] / norms[odd, None]
    return unit


def _refuse(bad: np.ndarray, what: str, name: Callable[[int], str], hint: str = "") -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        more = f", and so do {len(rows) - 1:,} more here" if len(rows) > 1 else ""
        raise RecordError(what + more, where=name(int(rows[0])), hint=hint)


def numbered(kind: str, first: int = 0) -> Callable[[int], str]:
    """Name row i "<kind> <first + i>"."""
    return lambda row: f"{kind} {first + row}"


def rows_per_block(dim: int) -> int:
    """How many float32 rows of `dim` numbers fit in one block, at least 256."""
    return max(256, BLOCK_BYTES // (4 * dim))


def spans(rows: range, dim: int) -> Iterator[range]:
    """Cut `rows` into consecutive ranges of one block each."""
    step = rows_per_block(dim)
    for start in range(rows.start, rows.stop, step):
        yield range(start, min(start + step, rows.stop))
