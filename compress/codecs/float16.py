"""Half precision: 2 bytes per dimension, 11 bits of each number, nothing above 65504."""

from __future__ import annotations

import numpy as np

from compress.codecs.base import Codec
from compress.codecs.names import Family
from compress.codecs.scoring import Weighing

# 65504 is the largest half; a float32 below 65520 rounds to it, from 65520 on to infinity.
_FIRST_INFINITE = np.float32(65520)


class Float16(Codec):
    """The codec that rounds to IEEE half precision; numbers out of its range are refused, not clipped."""

    family = Family("float16")
    dtype = np.dtype("<f2")
    sample_rows = 0

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        return (np.abs(embedding) < _FIRST_INFINITE).all(axis=1)

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        return embedding.astype(self.dtype)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return codes.astype(np.float32)

    def scoring(self, queries: np.ndarray) -> Weighing:
        return Weighing(queries)
