"""Scores that are hard to rank, and what is to come out the same to the bit."""

from __future__ import annotations

import numpy as np

from compress.metrics import TopScores

SPECIAL = np.array(
    [0.0, -0.0, 1.0, np.inf, -np.inf, 1e-45, -1e-45, 1e-38, 3.4028235e38, -3.4028235e38, 0.5], np.float32
)


def hard_scores(seed: int, videos: int, classes: int) -> np.ndarray:
    """float32 (videos, classes): zeros of both signs, infinities, subnormal numbers, ties and plain ones."""
    draws = np.random.default_rng(seed)
    plain = draws.normal(size=(videos, classes)).astype(np.float32)
    special = SPECIAL[draws.integers(0, len(SPECIAL), plain.shape)]
    rounded = np.where(draws.random(plain.shape) < draws.random(), plain, plain.round(0))
    return np.where(draws.random(plain.shape) < draws.random(), special, rounded)


def differences(a: TopScores, b: TopScores) -> list[str]:
    """Names of the fields that are not the same to the bit, the sign of zero included."""
    left, right = a.to_arrays(), b.to_arrays()
    return [
        name
        for name, array in left.items()
        if (array.dtype, array.shape) != (right[name].dtype, right[name].shape)
        or array.tobytes() != right[name].tobytes()
    ]
