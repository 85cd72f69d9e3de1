"""Arrays as people hold them -> the arrays that this package computes with, or one sentence on what is wrong.

Everything behind `import compress` reads its input through these functions: a list, a numpy array of any
number type, byte order or memory layout, a torch tensor on any device, a pandas frame. Nothing is guessed:
what could mean two things is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from compress.errors import DataError, SchemaError


class ClassLists(NamedTuple):
    """The classes of N videos, in compressed sparse rows.

    Args:
        indptr: int64 (N + 1,); the classes of video i are `indices[indptr[i]:indptr[i + 1]]`, ascending.
        indices: int32 (nnz,), each in [0, num_classes).
        num_classes: C.
        names: of the C classes, where the labels were names; () where they were numbers.
    """

    indptr: np.ndarray
    indices: np.ndarray
    num_classes: int
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def multi_hot(self) -> np.ndarray:
        """Dense bool (N, C)."""
        dense = np.zeros((len(self), self.num_classes), dtype=bool)
        dense[np.repeat(np.arange(len(self)), np.diff(self.indptr)), self.indices] = True
        return dense


def as_features(values: Any, what: str = "features", *, dim: int | None = None) -> np.ndarray:
    """One row per video, float32 (n, D), C-contiguous, finite.

    Args:
        values: (n, D) numbers: list, numpy array, torch tensor, or anything that numpy reads as an array.
        what: how a message calls them.
        dim: the D that is wanted; None for any.

    Returns:
        float32 (n, D); `values` itself where it is that already.

    Raises:
        SchemaError: not two-dimensional, no rows, no columns, not numbers, or another D than `dim`.
        DataError: NaN, infinity, or a number too large for float32; names the row.

    Example:
        >>> as_features([[1, 2], [3, 4]]).dtype
        dtype('float32')
    """
    array = _numbers(values, what)
    if array.ndim == 1:
        raise SchemaError(
            f"{what} have one dimension, (n, D) is needed",
            hint="one video is X[None], one number per video is X[:, None]",
        )
    if array.ndim != 2:
        raise SchemaError(
            f"{what} have shape {array.shape}, (n, D) is needed",
            hint="frames of several videos go in as a list of (t, D) arrays" if array.ndim == 3 else "",
        )
    return _checked(array, what, dim)


def as_frames(values: Any, what: str = "frames", *, dim: int | None = None) -> list[np.ndarray]:
    """The frames of n videos: for each a float32 (t, D) array, or uint8 where they are 8-bit codes.

    Args:
        values: a list of (t, D) arrays with t >= 1, or one array (n, T, D) where all have T frames. Frames of
            type uint8 are the quantised features of YouTube-8M and stay as they are; all others are numbers.
        what: how a message calls them.
        dim: the D that is wanted; None for any, which must then be the same for all.

    Raises:
        SchemaError: no videos, a video that is not (t, D) with t >= 1, or videos of different D.
        DataError: NaN or infinity; names video and frame.
    """
    videos = list(values) if isinstance(values, list | tuple) else list(_numbers(values, what))
    if not videos:
        raise SchemaError(f"{what} hold no videos")
    frames = []
    for number, video in enumerate(videos):
        name = f"{what} of video {number}"
        array = _numbers(video, name)
        if array.ndim != 2:
            raise SchemaError(f"{name} have shape {array.shape}, (t, D) is needed")
        frames.append(np.ascontiguousarray(array) if array.dtype == np.uint8 else _checked(array, name, dim))
        dim = frames[0].shape[1] if dim is None else dim
        if not len(array) or array.shape[1] != dim:
            raise SchemaError(f"{name} have shape {array.shape}, (t, {dim}) with t >= 1 is needed")
    return frames


def as_labels(
    values: Any,
    num_videos: int | None = None,
    *,
    num_classes: int | None = None,
    names: Sequence[str] | None = None,
    what: str = "labels",
) -> ClassLists:
    """The classes of each video.

    Args:
        values: multi-hot (n, C) as an array, tensor, frame or scipy sparse matrix of bool, 0 and 1; or for
            each video a list of class numbers or class names; or one class number or name per video; or
            `ClassLists`.
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
    if isinstance(values, ClassLists):
        _check_length(len(values), num_videos, what)
        return values
    if hasattr(values, "tocsr"):
        lists = _sparse_rows(values, what)
    elif isinstance(values, list | tuple) and not _is_dense(values, what):
        return _from_lists(values, num_videos, num_classes, names, what)
    else:
        array = _numbers(values, what, allow_text=True)
        if array.ndim == 1:
            return _from_lists(array.tolist(), num_videos, num_classes, names, what)
        lists = _multi_hot_rows(array, what)
    width = int(values.shape[1]) if hasattr(values, "shape") else len(values[0])
    if num_classes not in (None, width):
        raise SchemaError(f"{what} have {width} columns, and there are {num_classes} classes")
    _check_length(len(lists[0]) - 1, num_videos, what)
    return ClassLists(*lists, width, tuple(names or ()))


def as_ids(values: Iterable[Any] | None, num_videos: int, what: str = "ids") -> list[str]:
    """Video ids as text: those given, or "0", "1", ... where there are none.

    Raises:
        SchemaError: another number of ids, two that are the same, or an id that is no text, bytes or number.
        DataError: an empty id, one with a NUL, of over 1024 bytes, or bytes that are not UTF-8.
    """
    if values is None:
        return [str(number) for number in range(num_videos)]
    found = values.tolist() if hasattr(values, "tolist") else list(values)
    if len(found) != num_videos:
        raise SchemaError(f"there are {len(found)} {what} for {num_videos} videos")
    texts = [_id(value, what) for value in found]
    if len(set(texts)) < len(texts):
        seen: set[str] = set()
        twice = next(text for text in texts if text in seen or seen.add(text))  # type: ignore[func-returns-value]
        raise SchemaError(f"{what} are not unique: {twice!r} is there twice")
    return texts


def is_frames(values: Any) -> bool:
    """Whether this is one sequence of frames per video and not one row per video."""
    if isinstance(values, list | tuple):
        return bool(values) and np.ndim(plain_array(values[0])) == 2
    return getattr(values, "ndim", 0) == 3


def _id(value: Any, what: str) -> str:
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"{what}: {value!r} is not UTF-8") from error
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise SchemaError(f"{what}: {value!r} is no text", hint="give text, bytes or whole numbers")
    text = str(value)
    if not text or "\0" in text or len(text.encode("utf-8", "surrogatepass")) > 1024:
        raise DataError(f"{what}: {text[:40]!r} is empty, holds a NUL or has more than 1024 bytes")
    return text


def plain_array(values: Any) -> Any:
    """A torch tensor as a numpy array, anything else as it is.

    Torch is not imported for it; bfloat16, which numpy lacks, becomes float32.
    """
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        tensor = values.detach().cpu()
        return (tensor.float() if tensor.dtype.is_floating_point else tensor).numpy()
    return values


def _numbers(values: Any, what: str, *, allow_text: bool = False) -> np.ndarray:
    """An array of bool, whole or floating numbers; with `allow_text` also of text."""
    if hasattr(values, "tocsr"):
        raise SchemaError(f"{what} are a sparse matrix", hint="pass X.toarray()")
    if isinstance(values, list | tuple):
        values = [plain_array(value) for value in values]
    try:
        array = np.asarray(plain_array(values))
    except (ValueError, TypeError) as error:
        raise SchemaError(
            f"{what} are no array of numbers: {error}", hint="rows must have the same length"
        ) from error
    if array.dtype == object and array.size and allow_text:
        texts = all(isinstance(value, str) for value in array.ravel())
        array = array.astype(str) if texts else array
    kinds = "biufUS" if allow_text else "biuf"
    if array.dtype.kind not in kinds:
        raise SchemaError(f"{what} are of type {array.dtype}, not numbers", hint="pass real numbers")
    return array


def _checked(array: np.ndarray, what: str, dim: int | None) -> np.ndarray:
    if 0 in array.shape:
        raise SchemaError(f"{what} are empty: shape {array.shape}")
    if dim is not None and array.shape[1] != dim:
        raise SchemaError(f"{what} have {array.shape[1]} dimensions, {dim} are needed")
    with np.errstate(over="ignore"):  # what is too large becomes infinite and is refused below
        numbers = np.ascontiguousarray(array, dtype=np.float32)
    finite = np.isfinite(numbers).all(axis=1)
    if not finite.all():
        row = int(finite.argmin())
        value = array[row][~np.isfinite(numbers[row])][0]
        raise DataError(
            f"{what}: row {row} holds {value}, which is no finite float32 number",
            hint=f"{int((~finite).sum())} such rows: leave them out or mend them",
        )
    return numbers


def _check_length(found: int, wanted: int | None, what: str) -> None:
    if wanted is not None and found != wanted:
        raise SchemaError(f"there are {found} rows of {what} for {wanted} videos")


def _multi_hot_rows(array: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
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
    rows, classes = np.nonzero(hot)
    return _indptr(np.bincount(rows, minlength=len(array))), classes.astype(np.int32)


def _sparse_rows(values: Any, what: str) -> tuple[np.ndarray, np.ndarray]:
    matrix = values.tocsr().copy()
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    if not (matrix.data == 1).all():
        raise SchemaError(f"{what} are no multi-hot matrix: it holds {matrix.data[matrix.data != 1][0]}")
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)


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
) -> ClassLists:
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


def _named(rows: list[list[Any]], names: Sequence[str] | None, what: str) -> ClassLists:
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


def _packed(rows: list[list[int]], num_classes: int, names: tuple[str, ...]) -> ClassLists:
    if num_classes < 1:
        raise SchemaError("labels name no class at all", hint="give num_classes")
    packed = [sorted(set(row)) for row in rows]
    flat = np.array([value for row in packed for value in row], dtype=np.int32)
    return ClassLists(_indptr([len(row) for row in packed]), flat, num_classes, names)


def _indptr(counts: Any) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
