"""Embeddings as they are: 4 bytes per dimension, nothing lost."""

from __future__ import annotations

import numpy as np

from compress.codecs.base import Codec
from compress.codecs.names import Family


class Float32(Codec):
    """The codec that stores the unchanged embedding."""

    family = Family("float32")
    dtype = np.dtype("<f4")
    sample_rows = 0

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(embedding, dtype=self.dtype)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        return np.array(codes, dtype=np.float32)
