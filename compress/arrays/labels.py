"""Labels in every form that people hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from compress.arrays.arguments import whole_number
from compress.arrays.features import numbers, plain_array
from compress.errors import DataError, SchemaError
from compress.labels import Labels


def as_labels(
    values: Any,
    num_videos: int | None = None,
    *,
    num_classes: int | None = None,
    names: Sequence[str] | None = None,
    what: str = "labels",
) -> Labels:
    """The classes of each video.

    Args:
        values: multi-hot (n, C) as an array, tensor, frame or scipy sparse matrix of bool, 0 and 1; or for
            each video a list of class numbers or class names; or one class number or name per video; or
            `Labels`.
        num_videos: n; None for any.
        num_classes: C; None for the width of a multi-hot array, or the largest class number plus 1.
        names: of all classes, in order, where labels are names; None for those that occur, sorted.
        what: how a message calls them.

    Raises:
        SchemaError: another number of videos, or a form that is none of these or could be two.
        DataError: a class outside [0, C), or a name that is not among `names`; names the video.

    Example:
        >>> as_labels([["cat", "dog"], ["dog"]]).multi_hot().astype(int).tolist()
        [[1, 1], [0, 1]]
        >>> as_labels(np.array([[0, 1, 1], [1, 0, 0]])).indices.tolist()
        [1, 2, 0]
    """
    num_classes = None if num_classes is None else whole_number(num_classes, "num_classes", least=1)
    if isinstance(values, Labels):
        _check_length(len(values), num_videos, what)
        if num_classes not in (None, values.num_classes):
            raise SchemaError(f"{what} are of {values.num_classes} classes, and there are {num_classes}")
        return values
    if hasattr(values, "tocsr"):
        found = _from_sparse(values, what)
    elif isinstance(values, list | tuple) and not _is_dense(values, what):
        return _from_lists(values, num_videos, num_classes, names, what)
    else:
        array = numbers(values, what, allow_text=True)
        if array.ndim == 1:
            return _from_lists(array.tolist(), num_videos, num_classes, names, what)
        found = _from_multi_hot(array, what)
    if num_classes not in (None, found.num_classes):
        raise SchemaError(f"{what} have {found.num_classes} columns, and there are {num_classes} classes")
    _check_length(len(found), num_videos, what)
    return replace(found, names=tuple(names or ()))


def columns(values: Any) -> int | None:
    """C of labels that are a multi-hot array or matrix of C columns; None of all other forms."""
    shape: tuple[int, ...] = getattr(values, "shape", ())
    return int(shape[1]) if len(shape) == 2 else None


def _check_length(found: int, wanted: int | None, what: str) -> None:
    if wanted is not None and found != wanted:
        raise SchemaError(f"there are {found} rows of {what} for {wanted} videos")


def _from_multi_hot(array: np.ndarray, what: str) -> Labels:
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise SchemaError(
            f"{what} have shape {array.shape} and type {array.dtype}, 0 and 1 of shape (n, C) are needed"
        )
    hot = array == 1
    other = ~(hot | (array == 0))
    if other.any():
        row, column = np.argwhere(other)[0]
        raise SchemaError(
            f"{what} are no multi-hot array: {array[row, column]} in row {row}",
            hint="an (n, C) array holds 0 and 1 alone; class numbers go in as a list for each video",
        )
    return Labels.from_multi_hot(hot)


def _from_sparse(values: Any, what: str) -> Labels:
    matrix = values.tocsr().copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    if not (matrix.data == 1).all():
        raise SchemaError(f"{what} are no multi-hot matrix: it holds {matrix.data[matrix.data != 1][0]}")
    return Labels(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.shape[1])


def _is_dense(rows: Sequence[Any], what: str) -> bool:
    """Whether a list of lists is multi-hot: a class number never stands twice in a row, 0 and 1 mostly do."""
    first = [
        list(plain_array(row))
        for row in rows
        if isinstance(row, list | tuple | np.ndarray) or hasattr(row, "detach")
    ]
    if len(first) < len(rows) or not first or {len(row) for row in first} != {len(first[0])}:
        return False
    if any(isinstance(value, str | bytes) or value not in (0, 1) for row in first for value in row):
        return False
    if len(first[0]) < 2:
        return bool(first[0]) and isinstance(first[0][0], bool | np.bool_)
    if any(len(set(row)) < len(row) for row in first) or isinstance(first[0][0], bool | np.bool_):
        return True
    raise SchemaError(
        f"{what} could be class numbers or multi-hot",
        hint="pass numpy.array(Y) for multi-hot, or num_classes with lists of class numbers of other lengths",
    )


def _from_lists(
    values: Sequence[Any],
    num_videos: int | None,
    num_classes: int | None,
    names: Sequence[str] | None,
    what: str,
) -> Labels:
    """Of each video a list of numbers or names, or one number or name alone."""
    _check_length(len(values), num_videos, what)
    rows = [_row(value, number, what) for number, value in enumerate(values)]
    everything = [value for row in rows for value in row]
    if any(isinstance(value, str) for value in everything):
        return _named(rows, names, what)
    width = num_classes if num_classes is not None else max(everything, default=-1) + 1
    if names is not None:
        width = len(names)
    for number, row in enumerate(rows):
        for value in row:
            if not 0 <= value < width:
                raise DataError(f"{what}: class {value} of video {number} is outside [0, {width})")
    return _packed(rows, width, tuple(names or ()))


def _row(value: Any, number: int, what: str) -> list[Any]:
    value = plain_array(value)
    if isinstance(value, str | bytes):
        value = [value]
    found = value.tolist() if hasattr(value, "tolist") else value
    found = list(found) if isinstance(found, list | tuple | set | frozenset) else [found]
    row = [item.decode() if isinstance(item, bytes) else item for item in found]
    row = [int(item) if isinstance(item, float) and item.is_integer() else item for item in row]
    for item in row:
        if isinstance(item, np.integer | int) and not isinstance(item, bool):
            continue
        if not isinstance(item, str):
            raise SchemaError(
                f"{what} of video {number}: {item!r} is no class number and no class name",
                hint="give a multi-hot array, or a list of numbers or names for each video",
            )
    return row


def _named(rows: list[list[Any]], names: Sequence[str] | None, what: str) -> Labels:
    for number, row in enumerate(rows):
        if not all(isinstance(item, str) for item in row):
            raise SchemaError(f"{what} of video {number} mix class numbers and class names")
    known = tuple(names) if names is not None else tuple(sorted({name for row in rows for name in row}))
    place = {name: number for number, name in enumerate(known)}
    for number, row in enumerate(rows):
        for name in row:
            if name not in place:
                raise DataError(
                    f"{what}: class {name!r} of video {number} is not among the {len(known)} known"
                )
    return _packed([[place[name] for name in row] for row in rows], len(known), known)


def _packed(rows: list[list[int]], num_classes: int, names: tuple[str, ...]) -> Labels:
    if num_classes < 1:
        raise SchemaError("labels name no class at all", hint="give num_classes")
    return Labels.from_lists(rows, num_classes, names)
