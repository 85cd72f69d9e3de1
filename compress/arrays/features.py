"""Features, frames and video ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from compress.errors import DataError, SchemaError


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
    array = numbers(values, what)
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
    videos = list(values) if isinstance(values, list | tuple) else list(numbers(values, what))
    if not videos:
        raise SchemaError(f"{what} hold no videos")
    frames = []
    for number, video in enumerate(videos):
        name = f"{what} of video {number}"
        array = numbers(video, name)
        if array.ndim != 2:
            raise SchemaError(f"{name} have shape {array.shape}, (t, D) is needed")
        frames.append(np.ascontiguousarray(array) if array.dtype == np.uint8 else _checked(array, name, dim))
        dim = frames[0].shape[1] if dim is None else dim
        if not len(array) or array.shape[1] != dim:
            raise SchemaError(f"{name} have shape {array.shape}, (t, {dim}) with t >= 1 is needed")
    return frames


def as_ids(values: Iterable[Any] | None, num_videos: int, what: str = "ids") -> list[str]:
    """Video ids as text: those given, or "0", "1", ... where there are none.

    Raises:
        SchemaError: another number of ids, two that are the same, or an id that is no text, bytes or number.
        DataError: an empty id, one with a NUL, of over 1024 bytes, or bytes that are not UTF-8.
    """
    if values is None:
        return [str(number) for number in range(num_videos)]
    if isinstance(values, str | bytes | Mapping | Set) or not isinstance(values, Iterable):
        raise SchemaError(f"{what} are {_kind(values)}", hint="pass a list: its order is that of the videos")
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


def _kind(value: Any) -> str:
    return "None" if value is None else f"one {type(value).__name__}"


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
    if not (hasattr(values, "detach") and hasattr(values, "cpu")):
        return values
    try:
        tensor = values.detach().cpu()
        return (tensor.float() if tensor.dtype.is_floating_point else tensor).numpy()
    except (RuntimeError, TypeError) as error:  # sparse, quantised, or without data
        raise SchemaError(
            f"a tensor of {values.layout} on {values.device} is no array", hint="pass X.to_dense().cpu()"
        ) from error


def numbers(values: Any, what: str, *, allow_text: bool = False) -> np.ndarray:
    """An array of bool, whole or floating numbers; with `allow_text` also of text."""
    if hasattr(values, "tocsr"):
        raise SchemaError(f"{what} are a sparse matrix", hint="pass X.toarray()")
    if np.ma.is_masked(values):
        raise SchemaError(f"{what} are masked in places", hint="leave those rows out, or pass X.filled(0)")
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
        found = _kind(values) if array.ndim == 0 else f"of type {array.dtype}"
        raise SchemaError(f"{what} are {found}, not numbers", hint="pass an array or list of real numbers")
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
