"""One bit per dimension: above or below a threshold."""

from __future__ import annotations

from typing import Self

import numpy as np

from compress.codecs.base import Codec, State
from compress.codecs.names import Family
from compress.codecs.scoring import Lookup
from compress.errors import DataError

# The bits of each value of a byte, lowest first.
BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")


class Binary(Codec):
    """One bit per dimension, above or below a threshold: dimension i is bit i % 8 of byte i // 8.

    A bit decodes to the mean of the sample's values on its side of the threshold, which minimises the error.

    Args:
        threshold: f32 (dim,); a value above it has bit 1.
        low, high: f32 (dim,), decoded from bit 0 and 1; low <= threshold < high, or all three equal.
    """

    family = Family("binary")

    def __init__(self, threshold: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        self.threshold, self.low, self.high = (a.astype("<f4") for a in (threshold, low, high))
        super().__init__(len(threshold))

    @classmethod
    def width_of(cls, dim: int, number: int) -> int:
        return (dim + 7) // 8

    @classmethod
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        """The threshold is the mean of the sample."""
        mean = sample.mean(axis=0, dtype=np.float64)
        above = sample > mean
        highs = above.sum(axis=0)
        high = _mean_where(sample, above, highs, mean)
        low = _mean_where(sample, ~above, len(sample) - highs, mean)
        # All on one side: a constant, up to the rounding of its mean.
        low, high = np.where(highs == len(sample), high, low), np.where(highs == 0, low, high)
        low, high = low.astype(np.float32), high.astype(np.float32)
        return cls(np.clip(mean.astype(np.float32), low, np.nextafter(high, low)), low, high)

    @classmethod
    def _state_shapes(cls, dim: int, number: int) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("threshold", "low", "high"), (dim,))

    @classmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        threshold, low, high = state["threshold"], state["low"], state["high"]
        if not ((low <= threshold) & ((threshold < high) | (low == high) & (threshold == high))).all():
            raise DataError("threshold of the binary codec is not between low and high")
        return cls(threshold, low, high)

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        return np.packbits(embedding > self.threshold, axis=1, bitorder="little")

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        bits = np.unpackbits(codes, axis=1, count=self.dim, bitorder="little")
        return np.where(bits, self.high, self.low)

    def state(self) -> dict[str, np.ndarray]:
        return {"high": self.high, "low": self.low, "threshold": self.threshold}

    def scoring(self, queries: np.ndarray) -> Lookup:
        low, high = np.zeros((2, len(queries), 8 * self.width), np.float32)
        low[:, : self.dim], high[:, : self.dim] = queries * self.low, queries * self.high
        low, high = (part.reshape(len(queries), self.width, 8) for part in (low, high))
        return Lookup(low.sum(axis=2, keepdims=True) + (high - low) @ BITS.T.astype(np.float32))


def _mean_where(sample: np.ndarray, chosen: np.ndarray, number: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The mean of each column's chosen values, float64; `other` where there are none."""
    sums = np.where(chosen, sample, 0).sum(axis=0, dtype=np.float64)
    return np.divide(sums, number, out=other.copy(), where=number > 0)
