"""Are all ids different? At a million of them, sorting strings costs more than reading the shards."""

from __future__ import annotations

import numpy as np

_CHUNK = 1 << 16
_WORD = 8
# The constants of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
_GAMMA, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


def first_repeat(ids: np.ndarray) -> tuple[int, int] | None:
    """The earliest row whose id was there before, with the row of the id's first occurrence.

    Args:
        ids: (N,) S<w>.

    Returns:
        (first occurrence, repeat), the least such repeat; None when all ids differ. Exact: equal ids have
        equal hashes, and where two hashes are equal, the ids themselves are compared. Memory: 8 bytes an id.
    """
    if not _hashes_repeat(ids):
        return None
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if not len(twice):
        return None
    least = twice[np.argmin(order[twice + 1])]
    return int(order[least]), int(order[least + 1])


def _hashes_repeat(ids: np.ndarray) -> bool:
    hashes = np.empty(len(ids), dtype=np.uint64)
    for start in range(0, len(ids), _CHUNK):
        hashes[start : start + _CHUNK] = hash_ids(ids[start : start + _CHUNK])
    hashes.sort()
    return bool((hashes[1:] == hashes[:-1]).any())


def hash_ids(ids: np.ndarray) -> np.ndarray:
    """64 bits an id, uint64 (n,), of the bytes alone: the same for any width of the array."""
    words = -(-ids.dtype.itemsize // _WORD)
    columns = ids.astype(f"S{words * _WORD}").view("<u8").reshape(len(ids), words)
    found = np.zeros(len(ids), dtype=np.uint64)
    for column in columns.T[::-1]:  # from the end: words of zeros behind an id leave 0 as it is
        found = (found ^ column) * _MIX
        found ^= found >> np.uint64(32)
        found *= _GAMMA
        found ^= found >> np.uint64(29)
    return found
