"""Other embeddings of the videos of an index, in its order: the float32 ones, or a larger codec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.errors import NotFoundError, SchemaError
from compress.index.rows import ArrayStore, Selection, Store, as_store


def aligned(rows: Any, id_bytes: np.ndarray, dim: int, metric: str, what: str) -> Selection:
    """The rows of the videos `id_bytes`, in that order.

    Args:
        rows: a store that holds these videos, in any order; or float (n, dim), in their order; or what this
            function gave before, which is returned as it is.
        id_bytes: ids of the index, S (n,).
        dim: embedding size of the index.
        metric: of the index.
        what: how a message calls the rows.

    Raises:
        SchemaError: of another embedding size, or another number of rows than the index.
        NotFoundError: the store lacks videos of the index.
    """
    if isinstance(rows, Selection):
        return rows
    store = as_store(rows)
    if store.dim != dim:
        raise SchemaError(
            f"has {store.dim} dimensions, the index has {dim}", where=what, hint="use those of the same run"
        )
    if isinstance(store, ArrayStore):
        if len(store) != len(id_bytes):
            raise SchemaError(f"has {len(store):,} rows, the index has {len(id_bytes):,} videos", where=what)
        return Selection(store, range(len(store)), metric)
    return _of_ids(store, id_bytes, metric, what)


def _of_ids(store: Store, id_bytes: np.ndarray, metric: str, what: str) -> Selection:
    known = np.asarray(store.id_bytes)
    if np.array_equal(known, id_bytes):
        return Selection(store, range(len(store)), metric)
    order = np.argsort(known, kind="stable")
    places = np.minimum(np.searchsorted(known, id_bytes, sorter=order), len(known) - 1)
    found = order[places]
    missing = np.flatnonzero(known[found] != id_bytes)
    if len(missing):
        name = id_bytes[missing[0]].decode(errors="backslashreplace")
        raise NotFoundError(
            f"lacks {len(missing):,} of the {len(id_bytes):,} videos of the index, such as {name}", where=what
        )
    if np.array_equal(found, np.arange(found[0], found[0] + len(found))):
        return Selection(store, range(int(found[0]), int(found[0]) + len(found)), metric)
    rows: Any = _Reordered(store.codes, found, (len(found), store.codes.shape[1]))
    return Selection(ArrayStore(rows, id_bytes, store.codec), range(len(found)), metric)


@dataclass(frozen=True)
class _Reordered:
    """Rows of a mapped array in another order, read when they are asked for."""

    codes: Any
    order: np.ndarray
    shape: tuple[int, int]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return np.asarray(self.codes[self.order[rows]])
