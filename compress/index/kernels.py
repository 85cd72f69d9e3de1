"""Scores of stored codes for several queries: in C (native/), and in numpy where there is no library."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np

from compress import native
from compress.codecs.scoring import Lookup, Weighing

FOLDER = Path(__file__).parent / "native"
# As in the C code: tables of 8 queries are interleaved; rows and weights are padded to whole vectors.
QUERIES_SIDE_BY_SIDE = 8
_VECTOR = 16
Scorer = Callable[[np.ndarray], np.ndarray]
_SCORES = {np.dtype("i1"): "score_int8", np.dtype("<f2"): "score_float16", np.dtype("u1"): "score_int4"}


def scorer(scoring: Lookup | Weighing | None) -> Scorer:
    """From codes (n, width) to their scores, float32 (q, n), as `scoring` says."""
    if isinstance(scoring, Weighing):
        kernel, scale = Weights(scoring.weights, scoring.halves).scores, None
    else:
        assert scoring is not None, "such codes are decoded"
        kernel, scale = LookUpTables(scoring.tables).scores, scoring.scale

    def scores(codes: np.ndarray) -> np.ndarray:
        found = kernel(codes)
        if scale is not None:
            found = found * scale(codes)
        return found if scoring.offsets is None else found + scoring.offsets[:, None]

    return scores


class LookUpTables:
    """Scores by table look-up: `tables`, float32 (q, width, 256), hold what each value of each byte adds."""

    def __init__(self, tables: np.ndarray) -> None:
        self._size, self._width, self._groups = len(tables), tables.shape[1], _side_by_side(tables)

    def scores(self, codes: np.ndarray) -> np.ndarray:
        """Float32 (q, n) of `codes`, uint8 (n, >= width), whose first `width` bytes count.

        A query gets the same scores alone and with others.
        """
        codes = np.ascontiguousarray(codes)
        library = native.load(FOLDER)
        if library is None:
            return np.concatenate([_added(codes, group) for group in self._groups])[: self._size]
        found = []
        for group in self._groups:
            scores = np.empty((group.shape[2], len(codes)), np.float32)
            look_up = library.look_up_one if len(scores) == 1 else library.look_up_eight
            sizes = _sizes(*codes.shape, self._width)
            look_up(_pointer(codes), *sizes, _pointer(group), _pointer(scores))
            found.append(scores)
        return np.concatenate(found)[: self._size]


def _side_by_side(tables: np.ndarray) -> list[np.ndarray]:
    """Groups float32 (width, 256, 1 or 8) of the queries; the last one is padded with zeros."""
    if len(tables) == 1:
        return [np.ascontiguousarray(tables.transpose(1, 2, 0), np.float32)]
    groups = []
    for first in range(0, len(tables), QUERIES_SIDE_BY_SIDE):
        part = tables[first : first + QUERIES_SIDE_BY_SIDE]
        group = np.zeros((*tables.shape[1:], QUERIES_SIDE_BY_SIDE), np.float32)
        group[:, :, : len(part)] = part.transpose(1, 2, 0)
        groups.append(group)
    return groups


def _added(codes: np.ndarray, group: np.ndarray) -> np.ndarray:
    sums = np.zeros((len(codes), group.shape[2]), np.float32)
    for byte, table in enumerate(group):
        sums += table.take(codes[:, byte], axis=0)  # four times as fast as indexing
    return sums.T


class Weights:
    """Scores by weights, float32 (q, dim), one per stored dimension.

    `halves`: each byte holds two dimensions, the even one in its lower half.
    """

    def __init__(self, weights: np.ndarray, halves: bool = False) -> None:
        self._numbers = weights.shape[1] + (weights.shape[1] % 2 if halves else 0)
        self._weights = np.zeros((len(weights), -(-self._numbers // _VECTOR) * _VECTOR), np.float32)
        if halves:
            # All lower halves of a row are widened before all upper ones.
            even, odd = weights[:, 0::2], weights[:, 1::2]
            self._weights[:, : even.shape[1]] = even
            self._weights[:, even.shape[1] : even.shape[1] + odd.shape[1]] = odd
        else:
            self._weights[:, : self._numbers] = weights

    def scores(self, codes: np.ndarray) -> np.ndarray:
        """Float32 (q, n) of `codes`: int8 or float16 (n, dim); of halves uint8 (n, (dim + 1) // 2)."""
        codes = np.ascontiguousarray(codes)
        library = native.load(FOLDER)
        if library is None:
            # One product per query: with a matrix of queries, the sums would depend on their number.
            numbers = _widened(codes)
            return np.stack([numbers @ weights[: self._numbers] for weights in self._weights])
        queries, padded = self._weights.shape
        scores = np.empty((queries, len(codes)), np.float32)
        widened = np.empty(padded, np.float32)
        getattr(library, _SCORES[codes.dtype])(
            _pointer(codes),
            *_sizes(*codes.shape),
            _pointer(self._weights),
            *_sizes(padded, queries),
            _pointer(widened),
            _pointer(scores),
        )
        return scores


def _widened(codes: np.ndarray) -> np.ndarray:
    halves = [codes & 15, codes >> 4] if codes.dtype == np.uint8 else [codes]
    return np.concatenate(halves, axis=1).astype(np.float32)


def _sizes(*numbers: int) -> list[ctypes.c_int64]:
    return [ctypes.c_int64(number) for number in numbers]


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
