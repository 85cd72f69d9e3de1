"""Several arrays of equal rows, read as one without copying them together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class ConcatenatedRows:
    """A read-only view of arrays (N_i, width), one after the other; takes a row, a slice, an array of rows.

    Args:
        parts: at least one array, all of one width and dtype.
    """

    def __init__(self, parts: Sequence[np.ndarray]) -> None:
        self._parts = tuple(parts)
        self._starts = np.cumsum([0, *map(len, self._parts)])
        self.dtype, self.ndim = self._parts[0].dtype, 2

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), int(self._parts[0].shape[1])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return self._range(start, stop)
            return self._pick(np.arange(start, stop, step))
        picked = np.asarray(rows)
        return self._pick(picked.ravel()).reshape(*picked.shape, self.shape[1])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def _range(self, start: int, stop: int) -> np.ndarray:
        bounds = zip(self._starts[:-1], self._parts, strict=True)
        pieces = [part[max(start - first, 0) : max(stop - first, 0)] for first, part in bounds]
        pieces = [piece for piece in pieces if len(piece)]
        return pieces[0] if len(pieces) == 1 else np.concatenate([*pieces, self._parts[0][:0]])

    def _pick(self, rows: np.ndarray) -> np.ndarray:
        rows = np.where(rows < 0, rows + len(self), rows)
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"a row is outside [0, {len(self)})")
        picked = np.empty((len(rows), self.shape[1]), dtype=self.dtype)
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        for owner, part in enumerate(self._parts):
            mine = owners == owner
            picked[mine] = part[rows[mine] - self._starts[owner]]
        return picked
