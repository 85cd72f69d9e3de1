"""Half a byte a dimension: 16 levels, placed where they lose least on a sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from compress import faiss_engine
from compress.codecs.base import finite_rows, refuse_sample, refuse_state, refuse_unrepresentable
from compress.codecs.levels import best_levels
from compress.errors import DataError

_LEVELS = 15
# Numbers encoded at once: the float64 between stay in the processor's cache.
_CHUNK_NUMBERS = 16_384


class Int4:
    """Scalar quantisation to 16 evenly spaced levels a dimension; values beyond the outer ones are clipped.

    Two codes a byte, the even dimension in the lower half; of an odd number of dimensions, the last upper
    half is 0. A dimension that was constant in the sample decodes to that constant.

    Args:
        lowest: f32 (dim,), decoded from code 0.
        step: f32 (dim,), from one level to the next; >= 0.
    """

    name = "int4"
    dtype = np.dtype("u1")

    def __init__(self, lowest: np.ndarray, step: np.ndarray) -> None:
        self.lowest, self.step = lowest.astype("<f4"), step.astype("<f4")
        self.dim = len(lowest)
        self.width = (self.dim + 1) // 2
        wide = self.step.astype(np.float64)
        self._levels_per_unit = np.divide(1.0, wide, out=np.zeros_like(wide), where=wide > 0)

    @classmethod
    def calibrate(cls, sample: np.ndarray) -> Int4:
        """The codec for embeddings like `sample`, f32 (m, dim); DataError when it is empty or not finite."""
        refuse_sample("int4", sample)
        return cls(*best_levels(sample, _LEVELS))

    @classmethod
    def restore(cls, dim: int, state: dict[str, np.ndarray]) -> Int4:
        """The codec whose `state()` this is; DataError when it is not one."""
        refuse_state("int4", state, {"lowest": (dim,), "step": (dim,)})
        if (state["step"] < 0).any():
            raise DataError("step of the int4 codec is below 0")
        return cls(state["lowest"], state["step"])

    @property
    def bytes_per_video(self) -> int:
        return self.width

    def representable(self, embedding: np.ndarray) -> np.ndarray:
        return finite_rows(embedding)

    def encode(self, embedding: np.ndarray) -> np.ndarray:
        refuse_unrepresentable(self, embedding)
        levels = np.zeros((len(embedding), 2 * self.width), np.uint8)
        rows = max(1, _CHUNK_NUMBERS // self.dim)
        for first in range(0, len(embedding), rows):
            part = (embedding[first : first + rows].astype(np.float64) - self.lowest) * self._levels_per_unit
            levels[first : first + rows, : self.dim] = np.clip(np.rint(part), 0, _LEVELS)
        return levels[:, 0::2] | (levels[:, 1::2] << 4)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        levels = np.empty((len(codes), 2 * self.width), np.float32)
        levels[:, 0::2], levels[:, 1::2] = codes & 15, codes >> 4
        return levels[:, : self.dim] * self.step + self.lowest

    def state(self) -> dict[str, np.ndarray]:
        return {"lowest": self.lowest, "step": self.step}

    def byte_tables(self, queries: np.ndarray) -> np.ndarray:
        """See `compress.codecs.base.ByteTables`."""
        values = np.zeros((16, 2 * self.width), np.float32)
        values[:, : self.dim] = np.arange(16, dtype=np.float32)[:, None] * self.step + self.lowest
        wide = np.zeros((len(queries), 2 * self.width), np.float32)
        wide[:, : self.dim] = queries
        added = wide[:, :, None] * values.T
        return (added[:, 1::2, :, None] + added[:, 0::2, None, :]).reshape(len(queries), self.width, 256)

    def code_index(self, codes: np.ndarray, metric: str) -> Any:
        if metric != "ip":
            return None
        module = faiss_engine.faiss()
        kind = module.ScalarQuantizer.QT_4bit
        index = module.IndexScalarQuantizer(self.dim, kind, module.METRIC_INNER_PRODUCT)
        # FAISS decodes code c to start + (c + 1/2) / 15 * span.
        bounds = np.concatenate([self.lowest - self.step / 2, self.step * _LEVELS])
        module.copy_array_to_vector(bounds.astype(np.float32), index.sq.trained)
        index.is_trained = True
        index.add_sa_codes(np.ascontiguousarray(codes))
        return index
