"""The datasets of an HDF5 file, read in slices. Nothing in the file may refer to another file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from compress.datasets.formats.arrays import ArrayType, ReadArray
from compress.datasets.formats.columns import kind_of
from compress.datasets.formats.row_reader import array_format
from compress.errors import DataError, LockedError

if TYPE_CHECKING:  # Imported only when such a file is read: that takes a tenth of a second.
    import h5py

# deflate, shuffle, fletcher32, szip, nbit, scaleoffset and h5py's lzf; others would load a plugin.
_FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32000})


class Hdf5File:
    """The datasets of a file, by their paths; links and data in other files cannot be read."""

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        with _opened(path) as file:
            self.arrays = dict(_arrays(file, ""))
        if not self.arrays:
            raise DataError("holds no datasets", where=path)

    @contextmanager
    def opened(self) -> Iterator[ReadArray]:
        with _opened(self.path) as file:
            datasets: dict[str, h5py.Dataset] = {}

            def read(name: str, start: int, stop: int) -> np.ndarray:
                if name not in datasets:
                    datasets[name] = file[name]
                found = datasets[name]
                return np.asarray(found[start:stop] if found.shape else found[()])

            yield read


FORMAT = array_format("HDF5", (".h5", ".hdf5"), Hdf5File)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except BlockingIOError as error:
        what = "is in use: another process has it open for writing"
        raise LockedError(what, where=path, hint="close it there, or wait until it is written") from error
    except (OSError, RuntimeError) as error:
        raise DataError(f"is damaged or not an HDF5 file ({error})", where=path) from error


def _arrays(group: h5py.Group, prefix: str) -> Iterator[tuple[str, ArrayType]]:
    """Every dataset of a group; a link is not followed, as it may lead into another file."""
    import h5py

    for name in group:
        path = prefix + name
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            yield path, ArrayType("other", (), "a link; copy the data into the file")
            continue
        found = group[name]
        if isinstance(found, h5py.Group) and not len(found):
            yield path, ArrayType("other", (), "an empty group")
        elif isinstance(found, h5py.Group):
            yield from _arrays(found, f"{path}/")
        elif isinstance(found, h5py.Dataset):
            yield path, _type(found)


def _type(found: h5py.Dataset) -> ArrayType:
    import h5py

    shape: tuple[int, ...] | None = found.shape
    if shape is None:
        return ArrayType("other", (), "empty")
    if found.external or found.is_virtual:
        return ArrayType("other", shape, "data in other files; copy them into the file;")
    properties = found.id.get_create_plist()
    filters = {properties.get_filter(number)[0] for number in range(properties.get_nfilters())}
    if not filters <= _FILTERS:
        plugin = min(filters - _FILTERS)
        return ArrayType(
            "other", shape, f"compressed by a plugin (filter {plugin}); compress with gzip or lzf;"
        )
    if h5py.check_string_dtype(found.dtype) is not None:
        return ArrayType("text", shape, "texts")
    return ArrayType(kind_of(found.dtype), shape, str(found.dtype), found.dtype.itemsize)
