"""The part of a store that goes into an index: its rows are numbered from 0, as FAISS numbers them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from compress.errors import DataError, NotFoundError, SchemaError
from compress.index.vectors import Store, comparable, spans


@dataclass(frozen=True)
class Selection:
    """Consecutive `store_rows` of a store, seen through a metric."""

    store: Store
    store_rows: range
    metric: str

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
        """Comparable float32 (b, d) of what `decoded` gave."""
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

        return comparable(vectors, self.metric, name)


def select(store: Store, split: str | None, metric: str) -> Selection:
    """All videos of `store`, or those of one split.

    Raises:
        NotFoundError: the store has no such split.
        DataError: nothing to index.
    """
    if split is not None and split not in store.splits:
        raise NotFoundError(
            f"the store has no split {split!r}",
            where="--split",
            hint=f"it has: {', '.join(store.splits) or 'none'}",
        )
    rows = range(len(store)) if split is None else store.splits[split]
    if len(rows) == 0:
        raise DataError("holds no videos, so there is nothing to index", where=split or "store")
    return Selection(store, rows, metric)
