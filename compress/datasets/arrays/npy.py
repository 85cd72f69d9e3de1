"""Feature vectors in a .npy file, memory-mapped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from compress.datasets.arrays.common import (
    BLOCK_ROWS,
    as_float32,
    as_labels,
    check_features_array,
    default_id,
    make_schema,
)
from compress.datasets.arrays.sidecar import find_sidecar, read_sidecar
from compress.datasets.record import VideoRecord
from compress.errors import DataError, SchemaError

_NO_LABELS = np.zeros(0, dtype=np.int32)


class NpyFile:
    """A source of one .npy file; see `open_array_source`."""

    def __init__(self, path: Path, labels: Path | None, num_classes: int | None) -> None:
        features = open_npy(path)
        check_features_array(path, "features", features.shape, features.dtype)
        self._num_rows, dim = features.shape
        self.shards = (path,)
        self.sidecar = labels or find_sidecar(path)
        self._labels = read_sidecar(self.sidecar, self._num_rows) if self.sidecar else None
        largest = self._labels.largest_label if self._labels else -1
        self.schema = make_schema(path, dim, num_classes, largest)

    def read(self, shard: Path) -> Iterator[VideoRecord]:
        """Every row as it is, BLOCK_ROWS of them in memory at a time."""
        features = open_npy(shard)
        for start in range(0, self._num_rows, BLOCK_ROWS):
            for place, row in enumerate(as_float32(features[start : start + BLOCK_ROWS])):
                yield self._record(shard, start + place, row)

    def _record(self, shard: Path, row: int, features: np.ndarray) -> VideoRecord:
        found = self._labels
        if found is None or self.sidecar is None:
            return VideoRecord(default_id(shard, row), _NO_LABELS, features)
        classes = as_labels(self.sidecar, found.indices[found.indptr[row] : found.indptr[row + 1]])
        return VideoRecord(found.ids[row] if found.ids else default_id(shard, row), classes, features)


def open_npy(path: Path) -> np.ndarray:
    """The array, memory-mapped.

    Raises:
        SchemaError: it is no .npy file.
        DataError: it was cut, or holds Python objects.
    """
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":
                raise SchemaError("is not a .npy file, whatever its name says", where=path)
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        what = f"cannot be read as an array of numbers ({error})"
        raise DataError(what, where=path, hint="it was cut, or holds Python objects") from error
