"""What all formats of feature vectors share: the schema they get, the types they may have, default ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compress.datasets.schema import MAX_CLASSES, NUM_CLASSES_HINT, FeatureSchema
from compress.errors import DataError, SchemaError

FEATURE = "features"
ID_KEY = "id"
BLOCK_ROWS = 1024


def make_schema(path: Path, dim: int, num_classes: int | None, largest_label: int) -> FeatureSchema:
    """The generic schema; `largest_label` (-1 for none) gives C when the caller does not."""
    if num_classes is None and largest_label < 0:
        raise SchemaError(
            "has no labels, so the number of classes is unknown", where=path, hint=NUM_CLASSES_HINT
        )
    if num_classes is None and largest_label >= MAX_CLASSES:
        raise SchemaError(f"label {largest_label} is too large to be kept in 32 bits", where=path)
    classes = largest_label + 1 if num_classes is None else num_classes
    return FeatureSchema("video", (FEATURE,), (dim,), classes, ID_KEY)


def check_features_array(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """SchemaError unless an array is (N, D) floats, DataError when it has no rows."""
    if dtype.kind != "f" or dtype.itemsize > 8:
        hint = "convert them to float32; stored codes need decoding first" if dtype.kind in "iu" else ""
        what = f"{name} are {dtype}; float16, float32 or float64 expected"
        raise SchemaError(what, where=path, hint=hint)
    if len(shape) != 2:
        raise SchemaError(f"{name} have the shape {shape}; (videos, dimensions) expected", where=path)
    if not shape[1]:
        raise SchemaError(f"{name} have no dimensions: the shape is {shape}", where=path)
    if not shape[0]:
        raise DataError(f"{name} have no rows", where=path)


def as_float32(values: np.ndarray) -> np.ndarray:
    """float32 copy in native byte order; what is too large becomes Inf, which the row check reports."""
    with np.errstate(over="ignore"):
        return np.array(values, dtype=np.float32)


def as_labels(path: Path, values: np.ndarray) -> np.ndarray:
    """Labels as distinct ascending int32; the range [0, C) is checked with the row."""
    distinct = sorted(set(values.tolist()))  # of a handful of labels in half the time of np.unique
    for label in distinct[:1] + distinct[-1:]:
        if abs(label) > MAX_CLASSES:
            raise SchemaError(f"label {label} does not fit 32 bits", where=path)
    return np.array(distinct, dtype=np.int32)


def check_indptr(path: Path, indptr: np.ndarray, num_indices: int, num_rows: int) -> None:
    """SchemaError unless indptr, int (N + 1,), cuts `num_indices` labels into `num_rows` rows."""
    if indptr.dtype.kind not in "iu" or indptr.ndim != 1:
        raise SchemaError(f"indptr is {indptr.dtype} {indptr.shape}; integers (N + 1,) expected", where=path)
    if len(indptr) != num_rows + 1:
        rows = len(indptr) - 1
        raise SchemaError(f"labels are there for {rows} videos, features for {num_rows}", where=path)
    bounds = indptr.astype(np.int64)
    if bounds[0] != 0 or bounds[-1] != num_indices or (np.diff(bounds) < 0).any():
        raise SchemaError(f"indptr does not cut {num_indices} indices from the first to the last", where=path)


def default_id(path: Path, row: int) -> bytes:
    """The id of a row that has none."""
    return f"{path.stem}-{row}".encode()
