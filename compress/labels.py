"""Multi-hot labels of many videos in compressed sparse rows: about 3 numbers per video instead of 3862."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from compress.errors import OutOfRangeError, SchemaError, UsageError

Rows = np.ndarray | Sequence[int] | slice


@dataclass(frozen=True)
class Labels:
    """Labels of N videos. Make them with `from_lists`, `from_multi_hot` or `empty`.

    Args:
        indptr: int64 (N + 1,); the classes of video i are `indices[indptr[i]:indptr[i + 1]]`, ascending.
        indices: int32 (nnz,), each in [0, num_classes).
        num_classes: C.
        names: of the C classes, where people gave names and not numbers; otherwise ().
    """

    indptr: np.ndarray
    indices: np.ndarray
    num_classes: int
    names: tuple[str, ...] = ()

    @classmethod
    def from_lists(
        cls,
        rows: Sequence[np.ndarray] | Sequence[Sequence[int]],
        num_classes: int,
        names: tuple[str, ...] = (),
    ) -> Labels:
        """Pack one list of class numbers per video; duplicates within a video collapse.

        Example:
            >>> Labels.from_lists([[2, 0], []], num_classes=3).multi_hot().astype(int)
            array([[1, 0, 1],
                   [0, 0, 0]])
        """
        packed = [np.unique(np.asarray(row, dtype=np.int32)) for row in rows]
        indices = np.concatenate(packed) if packed else np.zeros(0, dtype=np.int32)
        return cls(_ends(list(map(len, packed))), indices.astype(np.int32), num_classes, names)

    @classmethod
    def from_multi_hot(cls, dense: np.ndarray) -> Labels:
        """Pack a matrix (N, C): a video has the classes whose entries are not 0.

        Raises:
            SchemaError: it is not a matrix.

        Example:
            >>> Labels.from_multi_hot(np.array([[1, 0, 1], [0, 0, 0]]))[0]
            array([0, 2], dtype=int32)
        """
        if dense.ndim != 2:
            raise SchemaError(f"multi-hot labels have shape {dense.shape}, (videos, classes) expected")
        videos, classes = np.nonzero(dense)
        counts = np.bincount(videos, minlength=len(dense))
        return cls(_ends(counts), classes.astype(np.int32), dense.shape[1])

    @classmethod
    def empty(cls, num_videos: int, num_classes: int) -> Labels:
        """Of videos without labels."""
        return cls(np.zeros(num_videos + 1, dtype=np.int64), np.zeros(0, dtype=np.int32), num_classes)

    @classmethod
    def concatenate(cls, parts: Sequence[Labels]) -> Labels:
        """The videos of all parts (at least one, of equally many classes), one part after the other."""
        if len(parts) == 1:
            return parts[0]
        indptr = _ends(np.concatenate([part.counts() for part in parts]))
        indices = np.concatenate([part.indices for part in parts])
        return cls(indptr, indices, parts[0].num_classes, parts[0].names)

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[row] for row in range(len(self)))

    @overload
    def __getitem__(self, row: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, row: Rows) -> Labels: ...

    def __getitem__(self, row: int | Rows) -> np.ndarray | Labels:
        """Classes of one video, int32 (n,), -1 the last; or the labels of `Rows`: a slice, a list, a mask.

        Raises:
            OutOfRangeError: there is no such video.
            UsageError: not a whole number, and not rows (see `row_numbers`).
        """
        if not isinstance(row, int | np.integer):
            return self.take(row)
        if not -len(self) <= row < len(self):
            raise OutOfRangeError(f"there is no video {row}, these are the labels of {len(self):,}")
        row = int(row) % len(self)
        return self.indices[self.indptr[row] : self.indptr[row + 1]]

    def counts(self) -> np.ndarray:
        """Labels of each video, int64 (N,)."""
        return np.diff(self.indptr)

    def class_counts(self) -> np.ndarray:
        """Videos of each class, int64 (C,)."""
        return np.bincount(self.indices, minlength=self.num_classes)

    def take(self, rows: Rows) -> Labels:
        """The labels of `rows` (see `row_numbers`), in that order."""
        rows = row_numbers(rows, len(self))
        starts = self.indptr[rows]
        lengths = self.indptr[rows + 1] - starts
        indptr = _ends(lengths)
        positions = np.repeat(starts - indptr[:-1], lengths) + np.arange(indptr[-1])
        return Labels(indptr, self.indices[positions], self.num_classes, self.names)

    def between(self, start: int, stop: int) -> Labels:
        """The labels of the rows [start, stop), whose classes are a view of these."""
        first, last = self.indptr[start], self.indptr[stop]
        ends = self.indptr[start : stop + 1] - first
        return Labels(ends, self.indices[first:last], self.num_classes, self.names)

    def multi_hot(self, rows: Rows | None = None) -> np.ndarray:
        """Dense bool (M, C) of the chosen rows (all by default)."""
        chosen = self if rows is None else self.take(rows)
        dense = np.zeros((len(chosen), self.num_classes), dtype=bool)
        dense[np.repeat(np.arange(len(chosen)), chosen.counts()), chosen.indices] = True
        return dense


def row_numbers(rows: Rows, count: int, where: str | Path = "") -> np.ndarray:
    """Rows as numbers, int64 (M,), each within [0, count).

    Args:
        rows: numbers (M,) of any integer type, a mask bool (count,), or a slice.
        count: how many rows there are.
        where: named in errors.

    Raises:
        UsageError: fractions, a mask of another length, or more than one dimension.
        OutOfRangeError: there is no such row. Negative numbers are refused: only a slice counts from the end.
    """
    if isinstance(rows, slice):
        return np.arange(*rows.indices(count))
    try:
        found = np.asarray(rows)
    except ValueError as error:
        raise UsageError("rows are a list of whole numbers or a mask", where=where) from error
    if found.dtype == bool and found.shape == (count,):
        return np.flatnonzero(found)
    if found.dtype == bool:
        raise UsageError(f"a mask of shape {found.shape} does not fit {count:,} rows", where=where)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        what = f"rows are {found.dtype} {found.shape}; whole numbers (n,) or a mask expected"
        raise UsageError(what, where=where)
    if found.size and not (found.min() >= 0 and found.max() < count):
        bad = found[(found < 0) | (found >= count)][0]
        raise OutOfRangeError(f"row {bad} is not within [0, {count})", where=where)
    return found.astype(np.int64, copy=False)


def _ends(lengths: np.ndarray | Sequence[int]) -> np.ndarray:
    """indptr of rows with these lengths."""
    indptr = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=indptr[1:])
    return indptr
