"""Half precision: 2 bytes a dimension, 11 bits of each number, nothing above 65504."""

from __future__ import annotations

import numpy as np

from compress.codecs.base import refuse_unrepresentable

# 65504 is the largest half; a float32 below 65520 rounds to it, from 65520 on to infinity.
_FIRST_INFINITE = np.float32(65520)


class Float16:
    """The codec that rounds to IEEE half precision; numbers out of its range are refused, not clipped."""

    name = "float16"
    dtype = np.dtype("<f2")

    def __init__(self, dim: int) -> None:
        self.dim = self.width = dim

    @property
    def bytes_per_video(self) -> int:
        return 2 * self.dim

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        return (np.abs(embedding) < _FIRST_INFINITE).all(axis=1)

    def encode(self, embedding: np.ndarray) -> np.ndarray:
        refuse_unrepresentable(self, embedding)
        return embedding.astype(self.dtype)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        return codes.astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        return {}

    def code_index(self, codes: np.ndarray, metric: str) -> None:
        return None
