"""An array to which rows are appended, without a second copy in memory."""

from __future__ import annotations

import numpy as np


class GrowingArray:
    """Grows by an eighth at a time, in place if the system can (Linux: mremap).

    Args:
        empty: (0, ...), of the type and shape of the rows; bytes ("S1") become as wide as the widest row.
    """

    def __init__(self, empty: np.ndarray) -> None:
        self._buffer, self._length, self._seen = empty.copy(), 0, False

    def __len__(self) -> int:
        return self._length

    def append(self, rows: np.ndarray) -> None:
        """Add `rows` (n, ...) at the end."""
        needed = self._length + len(rows)
        if rows.dtype.kind == "S" and rows.dtype.itemsize > self._buffer.dtype.itemsize:
            self._buffer, self._seen = self._buffer.astype(rows.dtype), False
        if needed > len(self._buffer):
            self._resize(needed + needed // 8)
        self._buffer[self._length : needed] = rows
        self._length = needed

    def view(self) -> np.ndarray:
        """All rows so far, not copied: later rows are written behind them, so these never change."""
        self._seen = True
        return self._buffer[: self._length]

    def finish(self) -> np.ndarray:
        """All rows, without the reserved room; nothing may be appended afterwards."""
        self._resize(self._length)
        return self._buffer

    def _resize(self, room: int) -> None:
        shape = (room, *self._buffer.shape[1:])
        if self._seen:  # a view points into the buffer, so it must not be moved
            moved = np.empty(shape, dtype=self._buffer.dtype)
            moved[: self._length] = self._buffer[: self._length]
            self._buffer, self._seen = moved, False
        else:
            self._buffer.resize(shape, refcheck=False)
