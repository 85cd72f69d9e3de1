"""Feature vectors in an HDF5 file, read in slices. Nothing in the file may refer to another file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from compress.datasets.contents import Column, Contents, Use, choose_features
from compress.datasets.formats.format import Wanted
from compress.datasets.formats.vectors import (
    BLOCK_ROWS,
    NO_LABELS,
    as_float32,
    as_labels,
    check_features_array,
    check_indptr,
    default_id,
    vector_format,
    vector_schema,
)
from compress.datasets.record import Record, VideoRecord
from compress.errors import DataError, SchemaError

if TYPE_CHECKING:  # Imported only when such a file is read: that takes a tenth of a second.
    import h5py

_NAMES = ("features", "embeddings")
_INDPTR, _INDICES = "labels/indptr", "labels/indices"
_SCAN = 1 << 20
# deflate, shuffle, fletcher32, szip, nbit, scaleoffset and h5py's lzf; others would load a plugin.
_FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32000})


class Hdf5File:
    """A file with `features` or `embeddings` (N, D), perhaps `ids` (N,), `labels/indptr`, `labels/indices`.

    Args:
        path: the file.
        wanted: see `Wanted`.
    """

    labels_file = None

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._path = path
        with _opened(path) as file:
            # Iterating only gives names; `in file` would follow a link into another file.
            present = {name: _holds(file, name) for name in file}
            names = [name for name in _NAMES if name in present]
            if len(names) != 1:
                found = "both features and embeddings" if names else "neither 'features' nor 'embeddings'"
                raise SchemaError(f"has {found}", where=path)
            self._name, self._has_ids = names[0], "ids" in present
            features = _dataset(path, file, self._name)
            check_features_array(path, self._name, features.shape, features.dtype)
            self._num_rows, dim = features.shape
            if self._has_ids:
                _check_ids(path, _dataset(path, file, "ids"), self._num_rows)
            self._indptr = _read_indptr(path, file, self._num_rows) if "labels" in present else None
            largest = -1 if self._indptr is None else _largest(_dataset(path, file, _INDICES))
        chosen = choose_features(path, {"features": dim}, ("features",), wanted.description, wanted.reads)
        self.schema = vector_schema(path, chosen, wanted, largest)
        uses: dict[str, Use] = {self._name: "features", "ids": "id", "labels": "labels"}
        columns = (Column(name, holds, uses.get(name)) for name, holds in present.items())
        self.contents = Contents(tuple(columns), chosen.notes)

    def read(self) -> Iterator[Record]:
        """Every row, unchecked, BLOCK_ROWS of them in memory at a time."""
        with _opened(self._path) as file:
            for start in range(0, self._num_rows, BLOCK_ROWS):
                stop = min(start + BLOCK_ROWS, self._num_rows)
                features = as_float32(_dataset(self._path, file, self._name)[start:stop])
                ids, labels = self._ids(file, start, stop), self._labels(file, start, stop)
                for video_id, classes, row in zip(ids, labels, features, strict=True):
                    yield VideoRecord(video_id, classes, row)

    def _ids(self, file: h5py.File, start: int, stop: int) -> list[bytes]:
        if not self._has_ids:
            return [default_id(self._path, row) for row in range(start, stop)]
        return [bytes(name) for name in _dataset(self._path, file, "ids")[start:stop].tolist()]

    def _labels(self, file: h5py.File, start: int, stop: int) -> list[np.ndarray]:
        if self._indptr is None:
            return [NO_LABELS] * (stop - start)
        bounds = self._indptr[start : stop + 1]
        indices = _dataset(self._path, file, _INDICES)[bounds[0] : bounds[-1]]
        return [as_labels(self._path, part) for part in np.split(indices, bounds[1:-1] - bounds[0])]


FORMAT = vector_format("HDF5", (".h5", ".hdf5"), Hdf5File)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError) as error:
        raise DataError(f"is damaged or not an HDF5 file ({error})", where=path) from error


def _holds(file: h5py.File, name: str) -> str:
    """Type and shape of a dataset, for people; a link is not followed."""
    import h5py

    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        return "a link"
    found = file[name]
    return f"{found.dtype} {found.shape}" if isinstance(found, h5py.Dataset) else "a group"


def _dataset(path: Path, file: h5py.File, name: str) -> h5py.Dataset:
    """A dataset stored in this file; SchemaError for links, external or virtual data and plugins."""
    import h5py

    parts = name.split("/")
    for depth in range(1, len(parts) + 1):
        step = "/".join(parts[:depth])
        if not isinstance(file.get(step, getlink=True), h5py.HardLink):
            raise SchemaError(
                f"'{step}' is missing or a link", where=path, hint="copy the data into the file"
            )
    found = file[name]
    if not isinstance(found, h5py.Dataset):
        raise SchemaError(f"'{name}' is not a dataset", where=path)
    if found.external or found.is_virtual:
        raise SchemaError(
            f"the data of '{name}' lie in other files", where=path, hint="copy the data into the file"
        )
    properties = found.id.get_create_plist()
    filters = {properties.get_filter(number)[0] for number in range(properties.get_nfilters())}
    if not filters <= _FILTERS:
        what = f"'{name}' is compressed by a plugin (filter {min(filters - _FILTERS)})"
        raise SchemaError(what, where=path, hint="compress with gzip or lzf")
    return found


def _check_ids(path: Path, ids: h5py.Dataset, num_rows: int) -> None:
    import h5py

    if h5py.check_string_dtype(ids.dtype) is None or ids.shape != (num_rows,):
        raise SchemaError(f"ids are {ids.dtype} {ids.shape}; {num_rows} strings expected", where=path)


def _read_indptr(path: Path, file: h5py.File, num_rows: int) -> np.ndarray:
    indptr, indices = _dataset(path, file, _INDPTR), _dataset(path, file, _INDICES)
    if indices.dtype.kind not in "iu" or indices.ndim != 1:
        raise SchemaError(
            f"labels/indices are {indices.dtype} {indices.shape}; integers (n,) expected", where=path
        )
    if indptr.ndim != 1 or len(indptr) != num_rows + 1:
        what = f"labels/indptr has the shape {indptr.shape}; ({num_rows + 1},) expected"
        raise SchemaError(what, where=path)
    return check_indptr(path, indptr[:], len(indices), num_rows)


def _largest(indices: h5py.Dataset) -> int:
    parts = [indices[start : start + _SCAN] for start in range(0, len(indices), _SCAN)]
    return max((int(part.max()) for part in parts), default=-1)
