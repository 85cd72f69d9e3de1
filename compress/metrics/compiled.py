"""The C code of the metrics (native/): one pass over each batch of scores, without Python's lock.

Every function has a NumPy counterpart that gives the same bits, used when `library()` is None.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from compress import native
from compress.errors import SchemaError
from compress.metrics.checks import refuse_nan

FOLDER = Path(__file__).parent / "native"
FEW = 64  # as in native/top_k.c: up to here its algorithm is faster than NumPy's
_LABELS_PER_VIDEO = 8  # initial space; YouTube-8M has 3 on average
_ADDRESS, _INT64 = ctypes.c_void_p, ctypes.c_int64


class Labels(NamedTuple):
    """The labels of B videos, one after the other.

    Args:
        counts: int64 (B,).
        classes: int32 (sum of counts,), ascending in each video.
    """

    counts: np.ndarray
    classes: np.ndarray


class Marks(NamedTuple):
    """The top against the labels: hits bool (B, k), and precision at equal recall float64 (B,)."""

    hits: np.ndarray
    shares: np.ndarray


def library() -> ctypes.CDLL | None:
    """The compiled code; None when NumPy does the work."""
    found = native.load(FOLDER)
    return None if found is None else _declared(found)


def list_labels(code: ctypes.CDLL, labels: np.ndarray) -> Labels:
    """Turn bool (B, C) into lists of classes."""
    labels = np.ascontiguousarray(labels)
    counts = np.empty(len(labels), dtype=np.int64)
    classes = np.empty(_LABELS_PER_VIDEO * len(labels), dtype=np.int32)
    found = code.list_labels(_at(labels), *labels.shape, len(classes), _at(counts), _at(classes))
    if found > len(classes):
        classes = np.empty(found, dtype=np.int32)
        code.list_labels(_at(labels), *labels.shape, found, _at(counts), _at(classes))
    return Labels(counts, classes[:found])


def top_of_rows(
    code: ctypes.CDLL, scores: np.ndarray, k: int, labels: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray, Marks | None]:
    """`top_k` of float32 (B, C) `scores` in C, 1 <= k <= min(C, FEW).

    Args:
        labels: bool (B, C), and the number of each video's labels, int64 (B,); None for the top only.

    Returns:
        values float32 (B, k), classes int32 (B, k), and marks when there are labels.

    Raises:
        RecordError: a score is NaN.
    """
    scores = np.ascontiguousarray(scores)
    rows, num_classes = scores.shape
    values, classes = np.empty((rows, k), dtype=np.float32), np.empty((rows, k), dtype=np.int32)
    scratch = np.empty(num_classes, dtype=np.uint64)
    marks: Marks | None = None
    given: tuple[int | None, int | None] = (None, None)
    if labels is not None:
        marks = Marks(np.empty((rows, k), dtype=np.bool_), np.empty(rows, dtype=np.float64))
        mask, counts = np.ascontiguousarray(labels[0]), labels[1]
        given = (_at(mask), _at(counts))
    written = [None if array is None else _at(array) for array in (marks or (None, None))]
    sizes = (rows, num_classes, k)
    if code.top_k(_at(scores), *given, *sizes, _at(scratch), _at(values), _at(classes), *written) >= 0:
        refuse_nan(scores)
    return values, classes, marks


def precision_sums(code: ctypes.CDLL, keys: np.ndarray, low: int, high: int) -> np.ndarray:
    """Sum of the precision at each hit, float64 (high - low,); `keys` uint64 are sorted `class_keys`."""
    sums = np.zeros(high - low)
    if code.precision_sums(_at(keys), len(keys), low, high, _at(sums)):
        raise SchemaError(f"keys leave the range of classes {low} to {high}")
    return sums


def count_above(
    code: ctypes.CDLL, scores: np.ndarray, positives: np.ndarray, starts: np.ndarray, counts: np.ndarray
) -> None:
    """Add to `counts` uint32 (P,) how many scores float32 (B, C) reach each of `positives` and not the next.

    Args:
        scores: C-contiguous, no NaN.
        positives: float32 (P,), ascending in each class; class c is at starts[c] to starts[c + 1].
        starts: int64 (C + 1,).
        counts: changed in place.
    """
    code.count_above(_at(scores), *scores.shape, _at(positives), _at(starts), _at(counts))


def sums_of_bits(code: ctypes.CDLL, scores: np.ndarray) -> np.ndarray:
    """Sum over the videos of the bits of each class's scores, uint64 (C,), of C-contiguous float32 (B, C).

    Raises:
        RecordError: a score is NaN.
    """
    sums = np.zeros(scores.shape[1], dtype=np.uint64)
    if code.add_bits(_at(scores), *scores.shape, _at(sums)) >= 0:
        refuse_nan(scores)
    return sums


def weighted_precision(
    code: ctypes.CDLL,
    weights: np.ndarray,
    hits: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    miss_videos: np.ndarray,
    sums: np.ndarray,
) -> None:
    """Add to `sums` float64 (groups,) the precision at each hit of videos that count `weights` times.

    Args:
        weights: int32 (N,).
        hits: of each, in the order of the ranking: its video int32, its group int32, the number of misses
            before it and before its group, int64.
        miss_videos: int32 (misses,), in the order of the ranking.
        sums: changed in place.
    """
    addresses = [_at(array) for array in (*hits, miss_videos, sums)]
    code.weighted_precision(_at(weights), len(hits[0]), *addresses)


def _at(array: np.ndarray) -> int:
    return array.ctypes.data


@functools.cache
def _declared(code: ctypes.CDLL) -> ctypes.CDLL:
    code.list_labels.argtypes = [_ADDRESS, *[_INT64] * 3, *[_ADDRESS] * 2]
    code.top_k.argtypes = [*[_ADDRESS] * 3, *[_INT64] * 3, *[_ADDRESS] * 5]
    code.precision_sums.argtypes = [_ADDRESS, *[_INT64] * 3, _ADDRESS]
    code.add_bits.argtypes = [_ADDRESS, *[_INT64] * 2, _ADDRESS]
    code.count_above.argtypes = [_ADDRESS, *[_INT64] * 2, *[_ADDRESS] * 3]
    code.count_above.restype = None
    code.weighted_precision.argtypes = [_ADDRESS, _INT64, *[_ADDRESS] * 6]
    code.weighted_precision.restype = None
    for function in (code.list_labels, code.top_k, code.precision_sums, code.add_bits):
        function.restype = _INT64
    return code
