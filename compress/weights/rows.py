"""Weights in 8 bits: whole numbers from -127 to 127, times one float32 a row.

A row is what makes one output number (a channel, a unit, a class), as in Jacob et al. 2018 (arXiv 1712.05877)
and Krishnamoorthi 2018 (arXiv 1806.08342), section 3: symmetric, per channel. 0 stays 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TOP = 127
_SHORTEST_ROW = 16  # numbers that share a factor of 4 bytes; the 1 or 3 taps of a convolution would not pay


def row_length(shape: Sequence[int]) -> int:
    """How many numbers of a contiguous array share a factor: the last axes, but never the first.

    Example:
        >>> row_length((5, 3862, 320)), row_length((256, 128, 1)), row_length((64, 1, 49))
        (320, 128, 49)
    """
    length = 1
    for size in reversed(shape[1:]):
        if length >= _SHORTEST_ROW:
            break
        length *= size
    return length


def quantise_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes and factors of a matrix.

    Args:
        weights: float32, two axes or more.

    Returns:
        int8 of the same shape, and float32 (rows,); a row of zeros has the factor 0.

    Raises:
        ValueError: a weight is not finite.
    """
    rows = weights.reshape(-1, row_length(weights.shape) or 1)
    largest = np.abs(rows).max(axis=1, initial=0)
    if not np.isfinite(largest).all():
        raise ValueError("a weight is not finite")
    factors = (largest / TOP).astype(np.float32)
    # A row of numbers so small that their factor is 0 is nothing but zeros.
    codes = np.rint(rows / np.where(factors > 0, factors, np.inf)[:, None]).clip(-TOP, TOP)
    return codes.astype(np.int8).reshape(weights.shape), factors


def restore_rows(codes: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """float32 of the shape of `codes`; ValueError where the factors are not one a row."""
    rows = codes.reshape(-1, row_length(codes.shape) or 1)
    if factors.shape != (len(rows),) or factors.dtype != np.float32:
        raise ValueError(f"{factors.shape} factors for {len(rows)} rows of weights")
    return (rows * factors[:, None]).reshape(codes.shape)
