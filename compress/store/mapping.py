"""Giving mapped pages back, so that a pass over a store takes the memory of a block and not of the file."""

from __future__ import annotations

import mmap

import numpy as np

# For less, the call costs more than the pages are worth.
WORTH_BYTES = 2**20
# Arrays up to this size stay mapped: a second pass over them is twice as fast.
KEEP_BYTES = 2**26


def forget(array: np.ndarray, start: int, stop: int) -> None:
    """Let go of the pages that hold the rows [start, stop) of a mapped array; nothing for one in memory.

    They stay in the system's cache, and the next access finds them there; without this they would count as
    memory of the process until the array is gone.
    """
    mapped = getattr(array, "_mmap", None)
    if mapped is None or not isinstance(array, np.memmap) or not hasattr(mmap, "MADV_DONTNEED"):
        return
    if array.nbytes <= KEEP_BYTES:
        return
    row_bytes = array.strides[0]
    # The map starts at the last allocation boundary before the array's own offset in the file.
    first = array.offset % mmap.ALLOCATIONGRANULARITY
    low = -(-(first + start * row_bytes) // mmap.PAGESIZE) * mmap.PAGESIZE
    high = (first + stop * row_bytes) // mmap.PAGESIZE * mmap.PAGESIZE
    if low < high:
        mapped.madvise(mmap.MADV_DONTNEED, low, high - low)
