"""An array that rows are appended to, without ever holding the whole twice for long."""

from __future__ import annotations

import numpy as np


class GrowingArray:
    """Room for half as much again is reserved at a time; the system gives memory only for what was written.

    Args:
        empty: (0, ...), of the type and width of the rows.
    """

    def __init__(self, empty: np.ndarray) -> None:
        self._buffer, self._length = empty, 0

    def __len__(self) -> int:
        return self._length

    def append(self, rows: np.ndarray) -> None:
        """Add `rows` (n, ...) at the end."""
        needed = self._length + len(rows)
        if needed > len(self._buffer):
            larger = np.empty(
                (max(needed, needed * 3 // 2), *self._buffer.shape[1:]), dtype=self._buffer.dtype
            )
            larger[: self._length] = self._buffer[: self._length]
            self._buffer = larger
        self._buffer[self._length : needed] = rows
        self._length = needed

    def view(self) -> np.ndarray:
        """All rows so far. No copy: what is appended later is written behind them, so they never change."""
        return self._buffer[: self._length]
