"""An array in a .npy file, memory-mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.datasets.formats.arrays import ArrayType, ReadArray
from compress.datasets.formats.columns import kind_of
from compress.datasets.formats.row_reader import array_format
from compress.doors.npy import MAGIC, read_npy
from compress.errors import DataError, SchemaError


class NpyFile:
    """One array.

    Args:
        path: the file.
        name: what the array is called.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, array = path, _open(path)
        kind = ArrayType(kind_of(array.dtype), array.shape, str(array.dtype), array.dtype.itemsize)
        self.arrays = {name: kind}

    @contextmanager
    def opened(self) -> Iterator[ReadArray]:
        array = _open(self.path)
        yield lambda name, start, stop: array[start:stop] if array.ndim else array


FORMAT = array_format("npy", (".npy",), NpyFile, takes_labels_file=True)


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
    use = (
        "nothing here: features are floats, (videos, dimensions)"
        if array.size
        else "nothing here: it holds no numbers"
    )
    if is_vector:
        one = array.size == array.shape[-1]
        asks = f"--vector {path.name}" if one else f"--queries {path.name} --output hits.csv"
        use = f"`compress search {asks}` in a store of {array.shape[-1]} dimensions"
    if is_features:
        labels = f"{path.stem}.labels.csv beside it (header id,labels) or --num-classes N"
        use = f"features, as shards of `compress init` and `encode --input`, with {labels}; {use}"
    return PlainArray(array.shape, str(array.dtype), use, is_features)


def _open(path: Path) -> np.ndarray:
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if not start:
        raise DataError("the file is empty", where=path, hint="fetch it again")
    if start != MAGIC:
        raise SchemaError("is not a .npy file, whatever its name says", where=path)
    return read_npy(path, mapped=True, hint="it was cut off, or holds Python objects")
