"""Where evenly spaced levels lose least: Lloyd's method with two free numbers a dimension."""

from __future__ import annotations

import numpy as np

# Share of the sample that a first range leaves out at either end: the right one depends on the tails.
_CLIPPED = (0.0, 0.002, 0.01, 0.04)
_ROUNDS = 8
# Dimensions looked at together.
_COLUMNS = 16


def best_levels(sample: np.ndarray, last: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest level and step, float32 (dim,) each, of `last` + 1 levels that minimise the mean squared error.

    From several first ranges, assigning values to levels and fitting the levels to their values take turns;
    the best of all that were seen is taken, so no dimension is worse than with its whole range.

    Args:
        sample: finite f32 (m, dim), m >= 1.
        last: number of the highest level, >= 1.
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
            # What counts is what will be stored: float32.
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
    """The line through (code, value) of each dimension; as it was where all have one code."""
    centre = codes.mean(axis=1, keepdims=True)
    spread = ((codes - centre) ** 2).sum(axis=1)
    slope = np.divide(((codes - centre) * values).sum(axis=1), spread, out=step.copy(), where=spread > 0)
    fitted = np.where(spread > 0, values.mean(axis=1) - slope * centre[:, 0], lowest)
    return fitted, np.maximum(slope, 0.0)
