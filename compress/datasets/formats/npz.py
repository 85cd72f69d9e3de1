"""Arrays in a .npz file, read piece by piece as they are unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from compress.datasets.formats.arrays import ArrayType, ReadArray
from compress.datasets.formats.columns import kind_of
from compress.datasets.formats.row_reader import array_format
from compress.errors import DataError

_ENDING = ".npy"


class NpzFile:
    """The arrays of a .npz file by their names; one that holds Python objects cannot be read."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        with _opened(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(_ENDING)]
            self.arrays = {name.removesuffix(_ENDING): _type(archive, name) for name in members}
        if not self.arrays:
            raise DataError("holds no arrays", where=path)

    @contextmanager
    def opened(self) -> Iterator[ReadArray]:
        with _opened(self.path) as archive:
            yield _reader(archive)


FORMAT = array_format("npz", (".npz",), NpzFile)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, EOFError, ValueError, OSError) as error:
        raise DataError(f"is damaged or not a .npz file ({error})", where=path) from error


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether it is stored column by column, and type; leaves the file at the first number."""
    version = npy.read_magic(file)
    return npy.read_array_header_1_0(file) if version == (1, 0) else npy.read_array_header_2_0(file)


def _type(archive: zipfile.ZipFile, member: str) -> ArrayType:
    with archive.open(member) as file:
        shape, _, dtype = _header(file)
    return ArrayType(kind_of(dtype), shape, str(dtype), dtype.itemsize)


class _Member:
    """One array; rows that are asked for in their order are unpacked once."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._name = archive, name + _ENDING
        self._begin()

    def _begin(self) -> None:
        self._file, self._row = self._archive.open(self._name), 0
        self._shape, by_column, self._dtype = _header(self._file)
        self._row_bytes = self._dtype.itemsize * int(np.prod(self._shape[1:]))
        # There the first row is spread over the whole file.
        whole = by_column and len(self._shape) > 1
        self._whole = self._numbers(self._file.read()).reshape(self._shape, order="F") if whole else None

    def rows(self, start: int, stop: int) -> np.ndarray:
        if not self._shape:
            return self._numbers(self._archive.read(self._name)[-self._dtype.itemsize :]).reshape(())
        if self._whole is not None:
            return self._whole[start:stop]
        if start < self._row:
            self._begin()
        if start > self._row:
            self._file.seek((start - self._row) * self._row_bytes, 1)
        data = self._file.read((stop - start) * self._row_bytes)
        self._row = stop
        return self._numbers(data).reshape(stop - start, *self._shape[1:])

    def _numbers(self, data: bytes) -> np.ndarray:
        return np.frombuffer(data, self._dtype)


def _reader(archive: zipfile.ZipFile) -> ReadArray:
    members: dict[str, _Member] = {}

    def read(name: str, start: int, stop: int) -> np.ndarray:
        if name not in members:
            members[name] = _Member(archive, name)
        return members[name].rows(start, stop)

    return read
