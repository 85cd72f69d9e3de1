"""Embeddings as they are: 4 bytes per dimension, nothing lost."""

from __future__ import annotations

from typing import Self

import numpy as np

from compress.codecs.base import Codec, State
from compress.codecs.names import Family


class Float32(Codec):
    """The codec of the untouched embedding."""

    family = Family("float32")
    dtype = np.dtype("<f4")
    sample_rows = 0

    @classmethod
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        return cls(sample.shape[1])

    @classmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        return cls(dim)

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(embedding, dtype=self.dtype)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return np.array(codes, dtype=np.float32)
