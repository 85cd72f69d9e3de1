"""The rows of an index, from a store or an array: decoded in blocks, checked, normalised for the metric."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from compress.arrays import as_features, as_ids, numbers
from compress.codecs import Codec
from compress.codecs.float32 import Float32
from compress.errors import DataError, NotFoundError, RecordError, SchemaError, UsageError

BLOCK_BYTES = 32 * 2**20


class Rows(Protocol):
    """What the index needs of a store: N rows of size `dim` that can be decoded piece by piece."""

    @property
    def dim(self) -> int: ...
    def __len__(self) -> int: ...
    def decode(self, start: int, stop: int) -> np.ndarray: ...


class Store(Rows, Protocol):
    """What the index needs of a store besides its rows; `codes` (N, width) takes slices."""

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


class ArrayStore:
    """An array as a store: embeddings, float (n, dim), or codes of `codec`, `codec.dtype` (n, width)."""

    sha256 = ""
    splits: Mapping[str, range] = {}

    def __init__(
        self, rows: np.ndarray, ids: Iterable[Any] | None = None, codec: Codec | None = None
    ) -> None:
        self.codes, self._ids = rows, ids
        self.codec = codec if codec is not None else Float32(int(rows.shape[1]))
        self.dim = self.codec.dim

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def id_bytes(self) -> np.ndarray:
        ids = as_ids(self._ids, len(self))
        return np.array([name.encode(errors="backslashreplace") for name in ids])

    def decode(self, start: int, stop: int) -> np.ndarray:
        return self._decoded(self.codes[start:stop])

    def rows(self, indices: np.ndarray) -> np.ndarray:
        return self._decoded(self.codes[indices])

    def _decoded(self, codes: np.ndarray) -> np.ndarray:
        numbers = isinstance(self.codec, Float32)
        return np.asarray(codes, np.float32) if numbers else self.codec.decode(codes)


def as_store(rows: Any, ids: Iterable[Any] | None = None, codec: Codec | None = None) -> Store:
    """`rows` itself where it is a store, else a checked `ArrayStore`; arguments as those of `Index.build`.

    Raises:
        UsageError: ids or a codec for a store, which has its own.
        SchemaError, DataError: invalid rows or ids.
    """
    if codec is not None and not isinstance(codec, Codec):
        raise UsageError(
            f"codec is {codec!r}, not the Codec that made the codes",
            hint="codec = compress.Codec.fit(name, Z); codes = codec.encode(Z)",
        )
    if not (hasattr(rows, "id_bytes") and hasattr(rows, "codes")):
        matrix = as_features(rows, "embeddings") if codec is None else codec.as_codes(rows)
        store = ArrayStore(matrix, ids, codec)
        len(store.id_bytes)  # Refuses bad ids before the long work.
        return store
    if ids is not None or codec is not None:
        raise UsageError("a store has ids and a codec of its own", hint="leave out ids and codec")
    found: Store = rows
    return found


@dataclass(frozen=True)
class Selection:
    """Consecutive `store_rows` of a store, seen through a metric."""

    store: Store
    store_rows: range
    metric: str
    split: str | None = None

    def __len__(self) -> int:
        return len(self.store_rows)

    def ids(self) -> np.ndarray:
        """Ids of the videos, bytes (n,) of fixed width."""
        ids = self.store.id_bytes[self.store_rows.start : self.store_rows.stop]
        return ids.astype(np.dtype(f"S{ids.dtype.itemsize}"))  # Drops h5py's note on the dtype.

    def codes(self) -> np.ndarray:
        """The stored codes, codec.dtype (n, width), mapped from the disk where the store is one file."""
        return self.store.codes[self.store_rows.start : self.store_rows.stop]

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """All rows in order: pairs of the first row's number and comparable float32 (b, d)."""
        for first, vectors in self.decoded():
            yield first, self.comparable(first, vectors)

    def decoded(self) -> Iterator[tuple[int, np.ndarray]]:
        """All rows in order: pairs of the first row's number and float32 (b, d) as the store gives them."""
        for span in spans(self.store_rows, self.store.dim):
            vectors = self.store.decode(span.start, span.stop)
            if vectors.shape != (len(span), self.store.dim):
                raise SchemaError(
                    f"the store gave rows of shape {vectors.shape}, not {(len(span), self.store.dim)}",
                    where=f"rows {span.start} to {span.stop}",
                )
            yield span.start - self.store_rows.start, vectors

    def comparable(self, first: int, vectors: np.ndarray) -> np.ndarray:
        """Comparable float32 (b, d) of rows that `decoded` gave."""
        return self._comparable(vectors, self.store_rows.start + first + np.arange(len(vectors)))

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Comparable vectors of `rows`, int64 (m,), in that order: float32 (m, d)."""
        numbers = rows + self.store_rows.start
        return self._comparable(self.store.rows(numbers), numbers)

    def sample(self, size: int, seed: tuple[int, int]) -> np.ndarray:
        """`size` different rows (all when there are fewer), ascending int64, the same for the same seed."""
        if size >= len(self):
            return np.arange(len(self))
        return np.sort(np.random.default_rng(seed).choice(len(self), size, replace=False, shuffle=False))

    def _comparable(self, vectors: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        def name(row: int) -> str:
            video = self.store.id_bytes[numbers[row]].decode(errors="backslashreplace")
            return f"video {video} (row {numbers[row]})"

        return comparable(vectors, self.metric, name, keep_zeros=True)


def select(store: Store, split: str | None, metric: str) -> Selection:
    """All videos of `store`, or those of one split.

    Raises:
        UsageError: unknown metric.
        NotFoundError: the store has no such split.
        DataError: nothing to index.
    """
    check_metric(metric)
    if split is not None and split not in store.splits:
        raise NotFoundError(
            f"the store has no split {split!r}",
            where="--split",
            hint=f"it has: {', '.join(store.splits) or 'none'}",
        )
    rows = range(len(store)) if split is None else store.splits[split]
    if len(rows) == 0:
        raise DataError("holds no videos, so there is nothing to index", where=split or "store")
    return Selection(store, rows, metric, split)


def as_queries(queries: Any, dim: int) -> np.ndarray:
    """Float32 (q, dim) of one or several vectors as an array, tensor or list; SchemaError for others."""
    given = np.atleast_2d(numbers(queries, "queries"))
    if given.ndim != 2 or given.shape[1] != dim:
        raise SchemaError(
            f"queries have shape {given.shape}, but the videos have {dim} dimensions",
            where="queries",
            hint="use vectors made by the same encoder",
        )
    with np.errstate(over="ignore"):  # Values that are too large become infinite and are refused later.
        return given.astype(np.float32, copy=False)


def check_metric(metric: str) -> None:
    """Raise UsageError unless `metric` is "cosine" or "ip"."""
    if metric not in ("cosine", "ip"):
        raise UsageError(f"unknown metric {metric!r}", where="metric", hint='use "cosine" or "ip"')


def comparable(
    vectors: np.ndarray, metric: str, name: Callable[[int], str], keep_zeros: bool = False
) -> np.ndarray:
    """Rows prepared so that their inner product is the metric.

    A row of zeros has no direction, and so no cosine. As one of many videos it is kept, at a similarity of 0
    to everything; as a question it is refused.

    Args:
        vectors: float32 (n, d).
        metric: "cosine" divides each row by its L2 norm; "ip" leaves it as it is.
        name: the name of row i of `vectors` for errors.
        keep_zeros: for cosine, leave rows of zeros as they are.

    Returns:
        float32 (n, d), contiguous.

    Raises:
        RecordError: a row holds NaN or Inf; a row is all zeros (cosine, unless they are kept); or a row is so
            long that float32 inner products overflow (ip).
    """
    # A float64 sum of float32 squares cannot overflow: it is finite exactly when every number is.
    squares = np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64)
    _refuse(~np.isfinite(squares), "holds NaN or Inf", name)
    if metric == "ip":
        _refuse(squares > np.finfo(np.float32).max / 4, "is too long for inner products in float32", name)
        return np.ascontiguousarray(vectors, dtype=np.float32)
    if not keep_zeros:
        _refuse(squares == 0, "is all zeros and so has no cosine", name, hint="ask with another vector")
    return _unit(vectors, np.sqrt(np.where(squares == 0, 1, squares)))


def _unit(vectors: np.ndarray, norms: np.ndarray) -> np.ndarray:
    # In float32, which is three times as fast, except for norms that float32 cannot hold precisely.
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
    """How many float32 rows of size `dim` fit in one block, at least 256."""
    return max(256, BLOCK_BYTES // (4 * dim))


def spans(rows: range, dim: int) -> Iterator[range]:
    """Cut `rows` into consecutive ranges of one block each."""
    step = rows_per_block(dim)
    for start in range(rows.start, rows.stop, step):
        yield range(start, min(start + step, rows.stop))
