"""Rankings of scores and their average precision, on plain arrays, exact and in little memory.

Scores are sorted as integers: exact, fast (NumPy sorts them with SIMD), and the key contains the tie rule. In
every ranking over several videos, higher scores come first, and among equal scores **misses before hits**.
This is pessimistic (a model gains nothing by giving all videos the same score) and depends on scores and hits
only, so the order of videos, batches and merges cannot change a single bit of a figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from compress.metrics import compiled

SIGN, MAGNITUDE = np.uint32(31), np.uint32(0x7FFFFFFF)
BLOCK = 1 << 20
# Pairs sorted together; these bound the memory at 1.1 million videos.
POOLED_PAIRS, CLASS_PAIRS = 1 << 22, 1 << 21
_SUMMED = 1 << 16  # numbers turned into Python's at once


def descending(scores: np.ndarray) -> np.ndarray:
    """uint32 that ascend exactly as float32 `scores` (no NaN) descend; 0.0 and -0.0 are equal.

    They are below 2**31 where the score is not negative.
    """
    bits = (scores + np.float32(0)).view(np.uint32)
    return np.where(bits >> SIGN, bits, bits ^ MAGNITUDE)


def pooled_precision(scores: np.ndarray, hits: np.ndarray, pairs: int = POOLED_PAIRS) -> float:
    """Sum of the precision at each hit, in one ranking of all pairs together.

    Args:
        scores: float32 (N, K), no NaN.
        hits: bool (N, K).
        pairs: sorted at once; any number gives the same bits.
    """
    return exact_sum(_precision_at_hits(scores, hits, pairs))


def _precision_at_hits(scores: np.ndarray, hits: np.ndarray, pairs: int) -> Iterator[np.ndarray]:
    above = found = 0
    for keys in _sorted_keys(scores, hits, pairs):
        for first in range(0, len(keys), BLOCK):
            block = keys[first : first + BLOCK]
            ranks = np.flatnonzero(block & np.uint32(1)) + (above + 1)
            yield np.arange(found + 1, found + len(ranks) + 1) / ranks
            above, found = above + len(block), found + len(ranks)
        del keys, block  # before the next are made


def _sorted_keys(scores: np.ndarray, hits: np.ndarray, pairs: int) -> Iterator[np.ndarray]:
    """Rank pairs of all videos together, without their keys in memory all at once.

    Yields:
        uint32 (M,), ascending keys whose lowest bit is the hit: the best `pairs` pairs or so, then the next.
        Pairs whose scores have the first 16 bits in common come together, however many they are.
    """
    scores, hits = scores.reshape(-1), hits.reshape(-1)
    for low, high, count in _score_ranges(scores, pairs):
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


def _score_ranges(scores: np.ndarray, pairs: int) -> Iterator[tuple[int, int, int]]:
    """Ranges [low, high) of `descending`, no longer than 2**31, and how many scores each has."""
    counts = np.zeros(1 << 16, dtype=np.int64)
    for start in range(0, len(scores), BLOCK):
        first_bits = descending(scores[start : start + BLOCK]) >> np.uint32(16)
        counts += np.bincount(first_bits, minlength=len(counts))
    for half in (0, 1 << 15):  # negative scores apart: the key needs their top bit for the hit
        for low, high in cut(counts[half : half + (1 << 15)], pairs):
            count = int(counts[half + low : half + high].sum())
            if count:
                yield (half + low) << 16, (half + high) << 16, count


def cut(counts: np.ndarray, at_most: int) -> Iterator[tuple[int, int]]:
    """Cut int64 (G,) `counts` into ranges [low, high) of a sum of at most `at_most`, or of length 1."""
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


def class_precision(
    classes: np.ndarray, scores: np.ndarray, hits: np.ndarray, num_classes: int, pairs: int = CLASS_PAIRS
) -> np.ndarray:
    """Sum of the precision at each hit, in one ranking per class; float64 (C,).

    Args:
        classes: int (N, K), the class of each score.
        scores: float32 (N, K), no NaN.
        hits: bool (N, K).
        num_classes: C.
        pairs: sorted at once; any number gives the same bits.
    """
    sums = np.zeros(num_classes)
    for low, high, count in class_ranges(classes, num_classes, pairs):
        keys, filled = np.empty(count, dtype=np.uint64), 0
        for rows in _blocks(classes):
            each, score, hit = (a[rows].reshape(-1) for a in (classes, scores, hits))
            inside = np.flatnonzero((each >= low) & (each < high))
            part = slice(filled, filled + len(inside))
            keys[part] = class_keys(each[inside], score[inside], hit[inside])
            filled += len(inside)
        sums[low:high] = _precision_sums(keys, low, high)
    return sums


def class_ranges(
    classes: np.ndarray, num_classes: int, pairs: int = CLASS_PAIRS
) -> Iterator[tuple[int, int, int]]:
    """Cut the classes into ranges [low, high) with at most `pairs` of `classes` each, or of one class.

    Yields:
        low, high and the number of pairs of the range.
    """
    counts = np.zeros(num_classes, dtype=np.int64)
    for rows in _blocks(classes):
        counts += np.bincount(classes[rows].reshape(-1), minlength=num_classes)
    for low, high in cut(counts, pairs):
        yield low, high, int(counts[low:high].sum())


def _blocks(classes: np.ndarray) -> Iterator[slice]:
    step = max(1, BLOCK // max(classes.shape[1], 1))
    return (slice(first, first + step) for first in range(0, len(classes), step))


def _precision_sums(keys: np.ndarray, low: int, high: int) -> np.ndarray:
    """Of `class_keys` of the classes [low, high), sorted in place: float64 (high - low,)."""
    keys.sort()
    code = compiled.library()
    if code is not None:
        return compiled.precision_sums(code, keys, low, high)
    hits = np.flatnonzero(keys & np.uint64(1))
    of_hit = (keys[hits] >> np.uint64(33)).astype(np.int64)
    class_starts = np.searchsorted(keys, np.arange(low, high, dtype=np.uint64) << np.uint64(33))
    first_hits = np.searchsorted(of_hit, np.arange(low, high))
    found = np.arange(1, len(hits) + 1) - first_hits[of_hit - low]
    ranks = 1 + hits - class_starts[of_hit - low]
    sums: np.ndarray = np.bincount(of_hit - low, weights=found / ranks, minlength=high - low)
    return sums


def exact_sum(pieces: Iterable[np.ndarray]) -> float:
    """The sum of float64 arrays (n,), rounded once: order and pieces do not matter."""
    blocks = (piece[first : first + _SUMMED] for piece in pieces for first in range(0, len(piece), _SUMMED))
    return math.fsum(chain.from_iterable(block.tolist() for block in blocks))
