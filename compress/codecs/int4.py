"""Half a byte per dimension: 16 levels, placed to minimise the error on a sample."""

from __future__ import annotations

from typing import Self

import numpy as np

from compress.codecs.base import Codec, State, spread_evenly
from compress.codecs.names import Family
from compress.codecs.scoring import Weighing
from compress.errors import DataError

_LEVELS = 15
# Values encoded at once: the float64 intermediates stay in the processor's cache.
_CHUNK_NUMBERS = 16_384
# Share of the sample that a first range cuts off at either end; the best one depends on the tails.
_CLIPPED = (0.0, 0.002, 0.01, 0.04)
_ROUNDS = 8
# Dimensions fitted together.
_COLUMNS = 16


class Int4(Codec):
    """Scalar quantisation to 16 evenly spaced levels per dimension; values outside are clipped.

    Two codes per byte, the even dimension in the lower half; with an odd number of dimensions the last upper
    half is 0. A dimension that was constant in the sample decodes to that constant.

    Args:
        lowest: f32 (dim,), decoded from code 0.
        step: f32 (dim,), from one level to the next; >= 0.
    """

    family = Family("int4")

    def __init__(self, lowest: np.ndarray, step: np.ndarray) -> None:
        self.lowest, self.step = lowest.astype("<f4"), step.astype("<f4")
        super().__init__(len(lowest))
        wide = self.step.astype(np.float64)
        self._levels_per_unit = np.divide(1.0, wide, out=np.zeros_like(wide), where=wide > 0)

    @classmethod
    def width_of(cls, dim: int, number: int) -> int:
        return (dim + 1) // 2

    @classmethod
    def _fit(cls, number: int, sample: np.ndarray) -> Self:
        return cls(*best_levels(spread_evenly(sample, cls.sample_rows), _LEVELS))

    @classmethod
    def _state_shapes(cls, dim: int, number: int) -> dict[str, tuple[int, ...]]:
        return {"lowest": (dim,), "step": (dim,)}

    @classmethod
    def _restore(cls, dim: int, number: int, state: State) -> Self:
        if (state["step"] < 0).any():
            raise DataError("step of the int4 codec is below 0")
        return cls(state["lowest"], state["step"])

    def _encode(self, embedding: np.ndarray) -> np.ndarray:
        levels = np.zeros((len(embedding), 2 * self.width), np.uint8)
        rows = max(1, _CHUNK_NUMBERS // self.dim)
        for first in range(0, len(embedding), rows):
            part = (embedding[first : first + rows].astype(np.float64) - self.lowest) * self._levels_per_unit
            levels[first : first + rows, : self.dim] = np.clip(np.rint(part), 0, _LEVELS)
        return levels[:, 0::2] | (levels[:, 1::2] << 4)

    def _decode(self, codes: np.ndarray) -> np.ndarray:
        levels = np.empty((len(codes), 2 * self.width), np.float32)
        levels[:, 0::2], levels[:, 1::2] = codes & 15, codes >> 4
        return levels[:, : self.dim] * self.step + self.lowest

    def state(self) -> dict[str, np.ndarray]:
        return {"lowest": self.lowest, "step": self.step}

    def scoring(self, queries: np.ndarray) -> Weighing:
        offsets = queries @ self.lowest.astype(np.float64)
        return Weighing(queries * self.step, offsets.astype(np.float32), halves=True)


def best_levels(sample: np.ndarray, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest level and step, float32 (dim,) each, of `last` + 1 levels that minimise the mean squared error.

    Starting from several ranges, it alternates between assigning values of `sample`, finite f32 (m, dim), to
    levels and fitting the levels to their values. The best result is taken, never worse than the whole range.
    """
    found = [_columns(sample[:, i : i + _COLUMNS], last) for i in range(0, sample.shape[1], _COLUMNS)]
    lowest, step = (np.concatenate(part) for part in zip(*found, strict=True))
    return lowest, step


def _columns(sample: np.ndarray, last: int) -> tuple[np.ndarray, np.ndarray]:
    values = sample.T.astype(np.float64)
    ordered = np.sort(values, axis=1)
    best_error = np.full(len(values), np.inf)
    best = np.zeros((2, len(values)), np.float32)
    for share in _CLIPPED:
        cut = int(share * (values.shape[1] - 1))
        lowest, highest = ordered[:, cut], ordered[:, values.shape[1] - 1 - cut]
        step = (highest - lowest) / last
        for _ in range(_ROUNDS):
            # The error of the float32 values that will be stored.
            stored = np.stack([lowest, step]).astype(np.float32)
            codes = _assign(values, stored, last)
            error = ((codes * stored[1][:, None] + stored[0][:, None] - values) ** 2).mean(axis=1)
            better = error < best_error
            best[:, better], best_error[better] = stored[:, better], error[better]
            lowest, step = _fit(values, codes, lowest, step)
    return best[0], best[1]


def _assign(values: np.ndarray, levels: np.ndarray, last: int) -> np.ndarray:
    lowest, step = levels.astype(np.float64)[:, :, None]
    per_unit = np.divide(1.0, step, out=np.zeros_like(step), where=step > 0)
    return np.clip(np.rint((values - lowest) * per_unit), 0, last)


def _fit(
    values: np.ndarray, codes: np.ndarray, lowest: np.ndarray, step: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The least-squares line through (code, value) of each dimension; unchanged when all codes are equal."""
    centre = codes.mean(axis=1, keepdims=True)
    spread = ((codes - centre) ** 2).sum(axis=1)
    slope = np.divide(((codes - centre) * values).sum(axis=1), spread, out=step.copy(), where=spread > 0)
    fitted = np.where(spread > 0, values.mean(axis=1) - slope * centre[:, 0], lowest)
    return fitted, np.maximum(slope, 0.0)
