"""Keep the memory of freed tensors, instead of giving it back to the system and faulting it in anew."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's malloc.h
NEVER = -1


def keep_freed_memory() -> bool:
    """Let freed memory serve the next allocations of this process; call it once, before a long run.

    glibc maps every block above 32 MB afresh, and the kernel then fills it with zeros page by page: a third
    of a ResidualCNN training step with 64 or more videos. The process keeps its peak size until it ends.

    Returns:
        True where it took effect (glibc), False elsewhere: then nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_MAX, 0)) and bool(mallopt(M_TRIM_THRESHOLD, NEVER))
