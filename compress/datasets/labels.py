"""Multi-hot labels of many videos in compressed sparse rows: about 3 numbers a video instead of 3862."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Labels:
    """Labels of N videos.

    Args:
        indptr: int64 (N + 1,); the classes of video i are `indices[indptr[i]:indptr[i + 1]]`, ascending.
        indices: int32 (nnz,), each in [0, num_classes).
        num_classes: C.
    """

    indptr: np.ndarray
    indices: np.ndarray
    num_classes: int

    @classmethod
    def from_lists(cls, rows: list[np.ndarray] | list[list[int]], num_classes: int) -> Labels:
        """Pack one list of classes a video; duplicates within a video collapse."""
        packed = [np.unique(np.asarray(row, dtype=np.int32)) for row in rows]
        indptr = np.zeros(len(packed) + 1, dtype=np.int64)
        np.cumsum([len(row) for row in packed], out=indptr[1:])
        indices = np.concatenate(packed) if packed else np.zeros(0, dtype=np.int32)
        return cls(indptr, indices.astype(np.int32), num_classes)

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __getitem__(self, row: int) -> np.ndarray:
        """Classes of one video, int32 (n,)."""
        return self.indices[self.indptr[row] : self.indptr[row + 1]]

    def counts(self) -> np.ndarray:
        """Labels of each video, int64 (N,)."""
        return np.diff(self.indptr)

    def class_counts(self) -> np.ndarray:
        """Videos of each class, int64 (C,)."""
        return np.bincount(self.indices, minlength=self.num_classes)

    def take(self, rows: np.ndarray) -> Labels:
        """The labels of `rows`, int64 (M,), in that order."""
        starts = self.indptr[rows]
        lengths = self.indptr[rows + 1] - starts
        indptr = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(lengths, out=indptr[1:])
        positions = np.repeat(starts - indptr[:-1], lengths) + np.arange(indptr[-1])
        return Labels(indptr, self.indices[positions], self.num_classes)

    def multi_hot(self, rows: np.ndarray | slice | None = None) -> np.ndarray:
        """Dense bool (M, C) of the chosen rows (all by default)."""
        if isinstance(rows, slice):
            rows = np.arange(len(self))[rows]
        chosen = self if rows is None else self.take(np.asarray(rows, dtype=np.int64))
        dense = np.zeros((len(chosen), self.num_classes), dtype=bool)
        dense[np.repeat(np.arange(len(chosen)), chosen.counts()), chosen.indices] = True
        return dense
