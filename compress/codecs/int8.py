"""One byte per dimension: 256 levels between the smallest and the largest value in a sample."""

from __future__ import annotations

from typing import Self

import numpy as np

from compress.codecs.base import Codec, State
from compress.codecs.names import Family
from compress.codecs.scoring import Weighing
from compress.errors import DataError

_LEVELS = 255
# Values encoded at once: the float64 intermediates stay in the processor's cache.
_CHUNK_NUMBERS = 16_384


class Int8(Codec):
    """Scalar quantisation with a range for each dimension; values outside the range are clipped to it.

    Inside the range the error is at most half a step, (maximum - minimum) / 510. A dimension that was
    constant in the sample decodes to that constant.

    Args:
        minimum: f32 (dim,), decoded from code -128.
        maximum: f32 (dim,), decoded from code 127; nowhere below `minimum`.
    """

    family = Family("int8")
    dtype = np.dtype("i1")

    def __init__(self, minimum: np.ndarray, maximum: np.ndarray) -> None:
        self.minimum, self.maximum = minimum.astype("<f4"), maximum.astype("<f4")
        super().__init__(len(minimum))
        # The difference of two float32 may overflow float32, never float64.
        span = self.maximum.astype(np.float64) - self.minimum
        self._too_wide = bool((span > np.finfo(np.float32).max / 2).any())
        self._step = (span / _LEVELS).astype(np.float32)
        self._levels_per_unit = np.divide(_LEVELS, span, out=np.zeros_like(span), where=span > 0)

    @classmethod
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        return cls(sample.min(axis=0), sample.max(axis=0))

    @classmethod
    def _state_shapes(cls, dim: int, number: int) -> dict[str, tuple[int, ...]]:
        return {"minimum": (dim,), "maximum": (dim,)}

    @classmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        minimum, maximum = state["minimum"], state["maximum"]
        if (minimum > maximum).any():
            raise DataError("minimum of the int8 codec is above its maximum")
        return cls(minimum, maximum)

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        codes = np.empty(embedding.shape, self.dtype)
        rows = max(1, _CHUNK_NUMBERS // self.dim)
        for first in range(0, len(embedding), rows):
            levels = embedding[first : first + rows].astype(np.float64)
            levels -= self.minimum
            levels *= self._levels_per_unit
            np.rint(levels, out=levels)
            np.clip(levels, 0, _LEVELS, out=levels)
            levels -= 128
            codes[first : first + rows] = levels
        return codes

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        exact = np.dtype(np.float64 if self._too_wide else np.float32)
        levels = codes.astype(exact) + 128
        # At the top level the product may round past the maximum by one unit in the last place.
        decoded = np.minimum(levels * self._step.astype(exact) + self.minimum, self.maximum)
        return decoded.astype(np.float32, copy=False)

    def state(self) -> dict[str, np.ndarray]:
        return {"maximum": self.maximum, "minimum": self.minimum}

    def scoring(self, queries: np.ndarray) -> Weighing:
        """A value is middle + step * code: codes get weights, the middles of all dimensions add up to one."""
        lowest, highest = self.minimum.astype(np.float64), self.maximum.astype(np.float64)
        step = (highest - lowest) / _LEVELS
        offsets = queries @ (lowest + 128 * step)
        return Weighing((queries * step).astype(np.float32), offsets.astype(np.float32))
