"""Embeddings as they are: 4 bytes a dimension, nothing lost."""

from __future__ import annotations

import numpy as np

from compress.codecs.base import finite_rows, refuse_unrepresentable


class Float32:
    """The codec of the untouched embedding."""

    name = "float32"
    dtype = np.dtype("<f4")

    def __init__(self, dim: int) -> None:
        self.dim = self.width = dim

    @property
    def bytes_per_video(self) -> int:
        return 4 * self.dim

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        return finite_rows(embedding)

    def encode(self, embedding: np.ndarray) -> np.ndarray:
        refuse_unrepresentable(self, embedding)
        return np.ascontiguousarray(embedding, dtype=self.dtype)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        return np.array(codes, dtype=np.float32)

    def state(self) -> dict[str, np.ndarray]:
        return {}

    def code_index(self, codes: np.ndarray, metric: str) -> None:
        return None
