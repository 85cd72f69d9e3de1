"""Arrays that are appended to without ever standing twice in memory."""

from __future__ import annotations

import numpy as np

_FIRST_ROWS = 4096


class Growing:
    """A one-dimensional array of yet unknown length.

    It grows in place by an eighth, so that the memory beyond its content stays below that: a list of pieces
    that is joined at the end needs the double.

    Args:
        dtype: of the items; bytes ("S1") become as wide as the widest item needs.
    """

    def __init__(self, dtype: str) -> None:
        self._items, self._length = np.empty(_FIRST_ROWS, dtype), 0

    def append(self, items: np.ndarray) -> None:
        """Add a copy of `items`, (n,)."""
        end = self._length + len(items)
        if items.dtype.kind == "S" and items.dtype.itemsize > self._items.dtype.itemsize:
            self._items = self._items.astype(items.dtype)
        if end > len(self._items):
            self._resize(max(end, len(self._items) + len(self._items) // 8))
        self._items[self._length : end] = items
        self._length = end

    def finish(self) -> np.ndarray:
        """All items, (N,); nothing may be appended afterwards."""
        self._resize(self._length)
        return self._items

    def _resize(self, length: int) -> None:
        # realloc: large arrays keep their pages. Nobody else holds a reference to the array yet.
        self._items.resize(length, refcheck=False)
