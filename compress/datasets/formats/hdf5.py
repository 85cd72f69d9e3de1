"""The datasets of an HDF5 file, read in slices. Nothing in the file may refer to another file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from compress.datasets.formats.arrays import ArrayType, ReadArray
from compress.datasets.formats.columns import kind_of
from compress.datasets.formats.row_reader import array_format
from compress.doors.hdf5 import Dataset, opened_hdf5
from compress.errors import DataError


class Hdf5File:
    """The datasets of a file, by their paths; links and data in other files cannot be read."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        with opened_hdf5(path) as (datasets, _):
            self.arrays = {each: _type(found) for each, found in datasets.items()}
        if not self.arrays:
            raise DataError("holds no datasets", where=path)

    @contextmanager
    def opened(self) -> Iterator[ReadArray]:
        with opened_hdf5(self.path) as (_, read):
            yield read


FORMAT = array_format("HDF5", (".h5", ".hdf5"), Hdf5File)


def _type(found: Dataset) -> ArrayType:
    if found.dtype is None:
        return ArrayType("other", found.shape, found.words)
    if found.is_text:
        return ArrayType("text", found.shape, "texts")
    return ArrayType(kind_of(found.dtype), found.shape, str(found.dtype), found.dtype.itemsize)
