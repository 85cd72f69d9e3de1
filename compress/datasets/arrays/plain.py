"""What a .npy file without labels is, and what it can be used for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.datasets.arrays.npy import open_npy

NOTHING = "nothing here: features are floats, (videos, dimensions)"


@dataclass(frozen=True)
class PlainArray:
    """An array by its header.

    Args:
        shape: as numpy has it.
        dtype: in numpy's words.
        use: what it can be used for, in words.
        is_features: whether it is floats of more than one video, which can be read and checked row by row.
    """

    shape: tuple[int, ...]
    dtype: str
    use: str
    is_features: bool


def describe_npy(path: Path) -> PlainArray:
    """What a .npy file holds; nothing of it but the header is read.

    Raises:
        SchemaError: it is no .npy file.
        DataError: it was cut, or holds Python objects.
    """
    array = open_npy(path)
    is_vector = array.ndim in (1, 2) and array.size > 0 and array.dtype.kind in "fiu"
    is_features = is_vector and array.ndim == 2 and array.dtype.kind == "f"
    return PlainArray(array.shape, str(array.dtype), _use(path, array, is_vector, is_features), is_features)


def _use(path: Path, array: np.ndarray, is_vector: bool, is_features: bool) -> str:
    if not is_vector:
        return NOTHING
    which = "" if array.ndim == 1 else ", which takes the first row"
    question = f"`compress search --vector {path.name}` in a store of {array.shape[-1]} dimensions{which}"
    if not is_features:
        return question
    labels = f"{path.stem}.labels.csv beside it (header id,labels) or --num-classes N"
    return f"features, as shards of `compress init` and `encode --input`, with {labels}; {question}"
