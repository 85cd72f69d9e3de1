"""An array that rows are appended to, without a second copy of it in memory."""

from __future__ import annotations

import numpy as np


class GrowingArray:
    """Room for an eighth more is reserved at a time, at the same place where the system can (Linux: mremap).

    Args:
        empty: (0, ...), of the type and width of the rows; bytes ("S1") become as wide as the widest row is.
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
        """All rows so far. No copy: what is appended later is written behind them, so they never change."""
        self._seen = True
        return self._buffer[: self._length]

    def finish(self) -> np.ndarray:
        """All rows, without the room that was reserved; nothing may be appended afterwards."""
        self._resize(self._length)
        return self._buffer

    def _resize(self, room: int) -> None:
        shape = (room, *self._buffer.shape[1:])
        if self._seen:  # a view looks at the buffer, which must stay where it is
            moved = np.empty(shape, dtype=self._buffer.dtype)
            moved[: self._length] = self._buffer[: self._length]
            self._buffer, self._seen = moved, False
        else:
            self._buffer.resize(shape, refcheck=False)
