"""Sort scores as integers: exact, fast (NumPy sorts them with SIMD), with the tie rule inside the key.

The tie rule of every ranking over several videos: higher score first; among equal scores **misses before
hits**. It is pessimistic (a model that gives all videos one score gains nothing by it) and looks at nothing
but the score and the hit, so neither the order of videos, nor batches, nor merges can change a single bit of
a figure.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

SIGN, MAGNITUDE = np.uint32(31), np.uint32(0x7FFFFFFF)
BLOCK = 1 << 20
PAIRS = 1 << 22  # sorted together; bounds the memory at 1.1 million videos


def descending(scores: np.ndarray) -> np.ndarray:
    """Unsigned integers that ascend exactly as float32 `scores` descend; 0.0 and -0.0 are one value.

    Args:
        scores: float32, any shape, no NaN; infinities are fine.

    Returns:
        uint32 of the same shape; below 2**31 where the score is not negative.
    """
    bits = (scores + np.float32(0)).view(np.uint32)
    return np.where(bits >> SIGN, bits, bits ^ MAGNITUDE)


def sorted_keys(scores: np.ndarray, hits: np.ndarray) -> Iterator[np.ndarray]:
    """Rank pairs of all videos together, without their keys in memory all at once.

    Args:
        scores: float32 (N, K), no NaN.
        hits: bool (N, K).

    Yields:
        uint32 (M,), ascending keys whose lowest bit is the hit: the best `PAIRS` pairs or so, then the next.
        Pairs whose scores have the first 16 bits in common come together, however many they are.
    """
    scores, hits = scores.reshape(-1), hits.reshape(-1)
    for low, high, count in _score_ranges(scores):
        keys, filled = np.empty(count, dtype=np.uint32), 0
        for start in range(0, len(scores), BLOCK):
            block = descending(scores[start : start + BLOCK])
            # Subtracting wraps around below `low`, so one comparison finds the range.
            block -= np.uint32(low)
            inside = np.flatnonzero(block < high - low)
            part = keys[filled : filled + len(inside)]
            np.left_shift(block[inside], np.uint32(1), out=part)
            part |= hits[start : start + BLOCK][inside]
            filled += len(inside)
        keys.sort()
        yield keys
        del keys  # before the next are made


def _score_ranges(scores: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Ranges [low, high) of `descending`, no longer than 2**31, and how many scores each has."""
    counts = np.zeros(1 << 16, dtype=np.int64)
    for start in range(0, len(scores), BLOCK):
        first_bits = descending(scores[start : start + BLOCK]) >> np.uint32(16)
        counts += np.bincount(first_bits, minlength=len(counts))
    for half in (0, 1 << 15):  # scores that are not negative, and those that are: the hit needs their bit
        for low, high in cut(counts[half : half + (1 << 15)], PAIRS):
            count = int(counts[half + low : half + high].sum())
            if count:
                yield (half + low) << 16, (half + high) << 16, count


def cut(counts: np.ndarray, at_most: int) -> Iterator[tuple[int, int]]:
    """Cut int64 (G,) `counts` into ranges [low, high) that sum to at most `at_most`, or of one of them."""
    ends, low = np.cumsum(counts), 0
    while low < len(counts):
        before = ends[low - 1] if low else 0
        high = max(low + 1, int(np.searchsorted(ends, before + at_most, side="right")))
        yield low, high
        low = high


def class_keys(classes: np.ndarray, scores: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Unsorted uint64 keys (M,) that sort by class, then by the tie rule: class << 33 | score << 1 | hit."""
    keys: np.ndarray = classes.astype(np.uint64) << np.uint64(32)
    keys |= descending(scores)
    keys <<= np.uint64(1)
    keys |= hits
    return keys
