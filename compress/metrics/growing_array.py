"""An array that rows are appended to; large ones are never in memory twice."""

from __future__ import annotations

import numpy as np


class GrowingArray:
    """Room for an eighth more is reserved at a time, at the same place where the system can (Linux: mremap).

    Args:
        empty: (0, ...), of the type and width of the rows.
    """

    def __init__(self, empty: np.ndarray) -> None:
        self._buffer, self._length, self._seen = empty.copy(), 0, False

    def __len__(self) -> int:
        return self._length

    def append(self, rows: np.ndarray) -> None:
        """Add `rows` (n, ...) at the end."""
        needed = self._length + len(rows)
        if needed > len(self._buffer):
            self._grow(needed + needed // 8)
        self._buffer[self._length : needed] = rows
        self._length = needed

    def view(self) -> np.ndarray:
        """All rows so far. No copy: what is appended later is written behind them, so they never change."""
        self._seen = True
        return self._buffer[: self._length]

    def _grow(self, room: int) -> None:
        shape = (room, *self._buffer.shape[1:])
        if self._seen:  # a view looks at the buffer, which must stay where it is
            larger = np.empty(shape, dtype=self._buffer.dtype)
            larger[: self._length] = self._buffer[: self._length]
            self._buffer, self._seen = larger, False
        else:
            self._buffer.resize(shape, refcheck=False)
