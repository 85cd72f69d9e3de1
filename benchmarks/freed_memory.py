"""Whether freed memory is kept: in `compress train` and `encode` it is, in a short command it is not."""

from __future__ import annotations

import ctypes
import sys

from encoders import freed_memory

_MMAP_MAX_DEFAULT, _TRIM_DEFAULT = 65_536, 128 * 1024  # glibc's


def keep(kept: bool) -> bool:
    """Let freed memory serve the next allocations of this process, or give it back as glibc does by default.

    The pages of memory that is not kept are filled with zeros anew each time it is asked for, which can cost
    more than what is done with it: so each row is measured as the command it stands for runs.

    Returns:
        True where it took effect (glibc).
    """
    if kept:
        return freed_memory.keep_freed_memory()
    library = ctypes.CDLL(None)
    if not sys.platform.startswith("linux") or not hasattr(library, "mallopt"):
        return False
    done = library.mallopt(freed_memory.M_MMAP_MAX, _MMAP_MAX_DEFAULT)
    done &= library.mallopt(freed_memory.M_TRIM_THRESHOLD, _TRIM_DEFAULT)
    library.malloc_trim(0)
    return bool(done)
