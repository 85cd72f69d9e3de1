"""A file in memory with holes, for HDF5 to lay a file out in without a disk.

HDF5 dies with a segmentation fault at exit after a write that failed for lack of space, so it never gets the
real file. What it writes here is some metadata and the small datasets; the embeddings stay a hole.
"""

from __future__ import annotations

import os


class SparseFile:
    """The part of Python's file interface that h5py's file-object driver calls."""

    def __init__(self) -> None:
        self._writes: list[tuple[int, bytes]] = []
        self._position = 0
        self.size = 0

    def range(self, start: int, stop: int) -> bytes:
        """The bytes [start, stop), zeros where nothing was written."""
        buffer = bytearray(stop - start)
        self.seek(start)
        self.readinto(memoryview(buffer))
        return bytes(buffer)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def truncate(self, size: int | None = None) -> int:
        self.size = self._position if size is None else size
        return self.size

    def flush(self) -> None:
        """Nothing to do: there is no disk."""

    def write(self, data: memoryview) -> int:
        piece = bytes(data)
        self._writes.append((self._position, piece))
        self._position += len(piece)
        self.size = max(self.size, self._position)
        return len(piece)

    def read(self, length: int = -1) -> bytes:
        stop = self.size if length < 0 else min(self.size, self._position + length)
        return self.range(self._position, max(self._position, stop))

    def readinto(self, buffer: memoryview) -> int:
        start, stop = self._position, self._position + len(buffer)
        found = bytearray(len(buffer))
        for offset, piece in self._writes:
            low, high = max(start, offset), min(stop, offset + len(piece))
            if low < high:
                found[low - start : high - start] = piece[low - offset : high - offset]
        buffer[:] = found
        self._position = stop
        return len(buffer)
