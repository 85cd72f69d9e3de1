"""Feature vectors in a .npy file, memory-mapped; labels and ids in a separate file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.datasets.contents import Column, Contents, choose_features
from compress.datasets.formats.format import Wanted
from compress.datasets.formats.sidecar import find_sidecar, read_sidecar
from compress.datasets.formats.vectors import (
    BLOCK_ROWS,
    NO_LABELS,
    as_float32,
    as_labels,
    check_features_array,
    default_id,
    vector_format,
    vector_schema,
)
from compress.datasets.record import Record, VideoRecord
from compress.errors import DataError, SchemaError


class NpyFile:
    """A file of floats (N, D) of 2, 4 or 8 bytes.

    Args:
        path: the file.
        wanted: its `labels` is a .csv with columns `id,labels` (integers separated by spaces) or .npz with
            `indptr`, `indices` and optionally `ids`. None takes `<stem>.labels.csv` or `.npz` if it exists.
    """

    def __init__(self, path: Path, wanted: Wanted) -> None:
        features = _open(path)
        check_features_array(path, "features", features.shape, features.dtype)
        self._path, (self._num_rows, dim) = path, features.shape
        self.labels_file = wanted.labels or find_sidecar(path)
        self._labels = read_sidecar(self.labels_file, self._num_rows) if self.labels_file else None
        largest = self._labels.largest_label if self._labels else -1
        # The array has no name in the file, so it has the one that it is given.
        given = wanted.description.features or ()
        name = given[0] if len(given) == 1 else "features"
        chosen = choose_features(path, {name: dim}, (name,), wanted.description, wanted.reads)
        self.schema = vector_schema(path, chosen, wanted, largest)
        column = Column(name, f"{features.dtype} {features.shape}", "features")
        self.contents = Contents((column,), chosen.notes)

    def read(self) -> Iterator[Record]:
        """Every row, unchecked, BLOCK_ROWS of them in memory at a time."""
        features = _open(self._path)
        for start in range(0, self._num_rows, BLOCK_ROWS):
            for place, row in enumerate(as_float32(features[start : start + BLOCK_ROWS])):
                yield self._record(start + place, row)

    def _record(self, row: int, features: np.ndarray) -> VideoRecord:
        found = self._labels
        if found is None or self.labels_file is None:
            return VideoRecord(default_id(self._path, row), NO_LABELS, features)
        classes = as_labels(self.labels_file, found.indices[found.indptr[row] : found.indptr[row + 1]])
        return VideoRecord(found.ids[row] if found.ids else default_id(self._path, row), classes, features)


FORMAT = vector_format("npy", (".npy",), NpyFile, takes_labels_file=True)


@dataclass(frozen=True)
class PlainArray:
    """A .npy file without labels, by its header: numpy's shape and dtype, and one sentence about its use.

    `is_features`: it holds floats (videos, dimensions), which can be read and checked row by row.
    """

    shape: tuple[int, ...]
    dtype: str
    use: str
    is_features: bool


def describe_npy(path: Path) -> PlainArray:
    """What a .npy file holds, by its header.

    Raises:
        SchemaError: not a .npy file.
        DataError: it was cut off, or holds Python objects.
    """
    array = _open(path)
    is_vector = array.ndim in (1, 2) and array.size > 0 and array.dtype.kind in "fiu"
    is_features = is_vector and array.ndim == 2 and array.dtype.kind == "f"
    use = "nothing here: features are floats, (videos, dimensions)"
    if is_vector:
        which = "" if array.ndim == 1 else ", which takes the first row"
        use = f"`compress search --vector {path.name}` in a store of {array.shape[-1]} dimensions{which}"
    if is_features:
        labels = f"{path.stem}.labels.csv beside it (header id,labels) or --num-classes N"
        use = f"features, as shards of `compress init` and `encode --input`, with {labels}; {use}"
    return PlainArray(array.shape, str(array.dtype), use, is_features)


def _open(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":
                raise SchemaError("is not a .npy file, whatever its name says", where=path)
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        what = f"cannot be read as an array of numbers ({error})"
        raise DataError(what, where=path, hint="it was cut off, or holds Python objects") from error
