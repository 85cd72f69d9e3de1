"""Sort scores as integers: exact, fast (NumPy sorts them with SIMD), with the tie rule inside the key.

The tie rule of every ranking over several videos: higher score first; among equal scores **misses before
hits**. It is pessimistic (a model that gives all videos one score gains nothing by it) and looks at nothing
but the score and the hit, so neither the order of videos, nor batches, nor merges can change a single bit of
a figure.
"""

from __future__ import annotations

import numpy as np

SIGN, MAGNITUDE = np.uint32(31), np.uint32(0x7FFFFFFF)
BLOCK = 1 << 20


def descending(scores: np.ndarray) -> np.ndarray:
    """Unsigned integers that ascend exactly as float32 `scores` descend; 0.0 and -0.0 are one value.

    Args:
        scores: float32, any shape, no NaN; infinities are fine.

    Returns:
        uint32 of the same shape; below 2**31 where the score is not negative.
    """
    bits = (scores + np.float32(0)).view(np.uint32)
    return np.where(bits >> SIGN, bits, bits ^ MAGNITUDE)


def sorted_keys(scores: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Rank pairs of all videos together: ascending keys whose lowest bit is the hit.

    Args:
        scores: float32 (N, K), no NaN.
        hits: bool (N, K).

    Returns:
        (N * K,) uint32, or uint64 when a score is negative (the sign needs a 33rd bit).
    """
    scores, hits = scores.reshape(-1), hits.reshape(-1)
    negative = scores.size > 0 and scores.min() < 0
    keys = np.empty(scores.size, dtype=np.uint64 if negative else np.uint32)
    for start in range(0, len(keys), BLOCK):
        part = slice(start, start + BLOCK)
        keys[part] = (descending(scores[part]).astype(keys.dtype) << 1) | hits[part]
    keys.sort()
    return keys


def class_keys(classes: np.ndarray, scores: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Unsorted uint64 keys (M,) that sort by class, then by the tie rule: class << 33 | score << 1 | hit."""
    keys: np.ndarray = classes.astype(np.uint64) << np.uint64(32)
    keys |= descending(scores)
    keys <<= np.uint64(1)
    keys |= hits
    return keys
