"""What a query becomes so that stored codes can be scored without decoding them, for each codec."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from compress.codecs.base import ByteTables, Codec
from compress.codecs.float16 import Float16
from compress.codecs.float32 import Float32
from compress.codecs.int4 import Int4
from compress.codecs.int8 import Int8
from compress.codecs.rabitq import RaBitQ
from compress.index.codes.kernels import Tables, Weights

Scorer = Callable[[np.ndarray], np.ndarray]


def searchable(codec: Codec) -> bool:
    """Whether codes of `codec` have a scorer; those of float32 are the numbers themselves."""
    return not isinstance(codec, Float32)


def scorer(codec: Codec, queries: np.ndarray) -> Scorer:
    """Scores of codes: float32 (q, n) of codes (n, width), the inner products of `queries` and decoded rows.

    Args:
        codec: `searchable`.
        queries: float32 (q, dim), q >= 1.
    """
    if isinstance(codec, Float16):
        return Weights(queries).scores
    if isinstance(codec, Int8):
        return _int8(codec, queries)
    if isinstance(codec, Int4):
        weights = Weights(queries * codec.step, halves=True)
        return _shifted(weights.scores, queries @ codec.lowest.astype(np.float64))
    if isinstance(codec, ByteTables):
        return Tables(codec.byte_tables(queries)).scores
    if isinstance(codec, RaBitQ):
        return _rabitq(codec, queries)
    raise TypeError(f"codes of {codec.name} cannot be searched")


def _int8(codec: Int8, queries: np.ndarray) -> Scorer:
    """A number is middle + step * code: the codes get weights, the middles of all dimensions are one sum."""
    lowest, highest = codec.minimum.astype(np.float64), codec.maximum.astype(np.float64)
    step = (highest - lowest) / 255
    weights = Weights((queries * step).astype(np.float32))
    return _shifted(weights.scores, queries @ (lowest + 128 * step))


def _rabitq(codec: RaBitQ, queries: np.ndarray) -> Scorer:
    """Every row has a factor of its own behind its bits."""
    tables, offsets = codec.plane_tables(queries)
    score = Tables(tables).scores
    return _shifted(lambda codes: score(codes) * codec.factors(codes), offsets)


def _shifted(score: Scorer, offsets: np.ndarray) -> Scorer:
    column = offsets.astype(np.float32)[:, None]
    return lambda codes: score(codes) + column
