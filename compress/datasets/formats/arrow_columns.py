"""Types and values of Arrow columns, which Parquet files and files of Arrow have in common."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets.formats.columns import Kind, TypedColumn
from compress.errors import DataError, UnavailableError

EXTRA = "compress-video-embeddings[parquet]"


def need_pyarrow(path: Path) -> None:
    """UnavailableError where pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        what = f"reading {path.suffix.lower()} files needs pyarrow"
        raise UnavailableError(what, where=path, hint=f"pip install '{EXTRA}'") from error


def typed_column(name: str, kind: Any, class_names: tuple[str, ...] = ()) -> TypedColumn:
    """A column of an Arrow type; sizes that the type does not tell are None."""
    found, shape = _kind(kind)
    return TypedColumn(name, found, shape, str(kind), class_names=class_names)


def _kind(kind: Any) -> tuple[Kind, tuple[int | None, ...]]:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return _kind(kind.value_type)
    if hasattr(kind, "storage_type"):
        return _kind(kind.storage_type)
    if is_list(kind):
        inner, shape = _kind(kind.value_type)
        size = kind.list_size if types.is_fixed_size_list(kind) else None
        return inner, (size, *shape)
    texts = ("string", "large_string", "string_view", "binary", "large_binary", "binary_view")
    if any(getattr(types, f"is_{name}")(kind) for name in texts):
        return "text", ()
    kinds: Sequence[tuple[Any, Kind]] = (
        *((types.is_floating, "float"), (types.is_uint8, "byte")),
        *((types.is_integer, "integer"), (types.is_boolean, "boolean")),
    )
    return next((name for test, name in kinds if test(kind)), "other"), ()


def is_list(kind: Any) -> bool:
    """Whether an Arrow type is one of its five types of lists."""
    import pyarrow.types as types

    names = ("list", "large_list", "fixed_size_list", "list_view", "large_list_view")
    return any(getattr(types, f"is_{name}")(kind) for name in names)


def column_values(path: Path, column: Any) -> Sequence[Any]:
    """The values of an Arrow array: numbers as an array (n,) where none is missing, otherwise a list.

    The value of a list is an array (D,), of a list of lists (T, D), of texts a list; None where it is
    missing. A missing float is NaN.

    Raises:
        DataError: a list of whole numbers has a missing one.
    """
    import pyarrow

    types = pyarrow.types
    if hasattr(column.type, "storage_type"):
        column = column.storage
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_list(column.type):
        return _lists(path, column)
    if _kind(column.type)[0] == "text":
        return column.to_pylist()
    if column.null_count and not types.is_floating(column.type):
        return column.to_pylist()
    return column.to_numpy(zero_copy_only=False)


def _lists(path: Path, column: Any) -> list[Any]:
    import pyarrow

    types, kind = pyarrow.types, column.type
    if not (types.is_list(kind) or types.is_large_list(kind)):
        column = column.cast(pyarrow.large_list(kind.value_type))
    offsets = column.offsets.to_numpy()
    inside = column.values.slice(offsets[0], offsets[-1] - offsets[0])
    offsets = offsets - offsets[0]
    if inside.null_count and _kind(inside.type)[0] in ("integer", "byte", "boolean"):
        raise DataError("a list of labels holds a missing value", where=path, hint="leave it out")
    values: Any = column_values(path, inside)
    if (
        is_list(inside.type)
        and len({len(value) for value in values if value is not None}) == 1
        and not inside.null_count
    ):
        values = np.stack(values)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    found = []
    for low, high, there in zip(offsets[:-1], offsets[1:], valid, strict=True):
        part = values[low:high]
        if isinstance(part, list) and is_list(inside.type):
            part = _stacked(part)
        found.append(part if there else None)
    return found


def _stacked(frames: Sequence[Any]) -> np.ndarray:
    """(T, D); (0, 0) where the frames are not of one size, which the check of the row then names."""
    if not frames or any(frame is None for frame in frames) or len({len(frame) for frame in frames}) > 1:
        return np.zeros((0, 0), np.float32)
    return np.stack(frames)


def class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, tuple[str, ...]]:
    """Names of the classes of columns of whole numbers, which the library `datasets` writes into a file."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {name: names for name, feature in features.items() if (names := tuple(_names(feature)))}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}


def _names(feature: Any) -> Iterator[str]:
    """The names of a ClassLabel, or of a list of them, in whose words they are written."""
    if isinstance(feature, list) and len(feature) == 1:
        yield from _names(feature[0])
    elif isinstance(feature, Mapping) and feature.get("_type") == "ClassLabel":
        yield from map(str, feature.get("names") or ())
    elif isinstance(feature, Mapping) and "feature" in feature:
        yield from _names(feature["feature"])
