"""Arrays in a .npz file, read piece by piece as they are unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from compress.datasets.formats.arrays import ArrayType, ReadArray
from compress.datasets.formats.columns import kind_of
from compress.datasets.formats.row_reader import array_format
from compress.doors.claims import check_at_once, size_of
from compress.doors.guard import guarded
from compress.doors.npy import ENDING, member_header, opened_npz, read_header
from compress.errors import DataError

_KIND = "a .npz file"


class NpzFile:
    """The arrays of a .npz file by their names; one that holds Python objects cannot be read."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        with opened_npz(path, _KIND) as archive, guarded(path, _KIND):
            members = [name for name in archive.namelist() if name.endswith(ENDING)]
            self.arrays = {name.removesuffix(ENDING): _type(archive, name) for name in members}
        if not self.arrays:
            raise DataError("holds no arrays", where=path)

    @contextmanager
    def opened(self) -> Iterator[ReadArray]:
        with opened_npz(self.path, _KIND) as archive:
            yield _reader(archive, self.path)


FORMAT = array_format("npz", (".npz",), NpzFile)


def _type(archive: zipfile.ZipFile, member: str) -> ArrayType:
    found = member_header(archive, member)
    return ArrayType(kind_of(found.dtype), found.shape, str(found.dtype), found.dtype.itemsize)


class _Member:
    """One array; rows that are asked for in their order are unpacked once."""

    def __init__(self, archive: zipfile.ZipFile, path: Path, name: str) -> None:
        self._archive, self._path, self._name = archive, path, name + ENDING
        self._size = size_of(path)
        self._begin()

    def _begin(self) -> None:
        self._file, self._row = self._archive.open(self._name), 0
        found = read_header(self._file)
        self._shape, self._dtype = found.shape, found.dtype
        self._row_bytes = self._dtype.itemsize * int(np.prod(self._shape[1:], dtype=object))
        # There the first row is spread over the whole file.
        whole = found.by_column and len(self._shape) > 1
        if whole:
            self._check(found.bytes)
        self._whole = self._numbers(self._file.read()).reshape(self._shape, order="F") if whole else None

    def rows(self, start: int, stop: int) -> np.ndarray:
        if not self._shape:
            return self._numbers(self._archive.read(self._name)[-self._dtype.itemsize :]).reshape(())
        if self._whole is not None:
            return self._whole[start:stop]
        self._check((stop - start) * self._row_bytes)
        if start < self._row:
            self._begin()
        if start > self._row:
            self._file.seek((start - self._row) * self._row_bytes, 1)
        data = self._file.read((stop - start) * self._row_bytes)
        self._row = stop
        return self._numbers(data).reshape(stop - start, *self._shape[1:])

    def _numbers(self, data: bytes) -> np.ndarray:
        return np.frombuffer(data, self._dtype)

    def _check(self, wanted: int) -> None:
        check_at_once(self._path, f"'{self._name}'", wanted, self._size)


def _reader(archive: zipfile.ZipFile, path: Path) -> ReadArray:
    members: dict[str, _Member] = {}

    def read(name: str, start: int, stop: int) -> np.ndarray:
        with guarded(path, _KIND):
            if name not in members:
                members[name] = _Member(archive, path, name)
            return members[name].rows(start, stop)

    return read
