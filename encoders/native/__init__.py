"""The compiled versions of slow Python code in this package, called through ctypes.

The same as compress/native.py: `encoders` must not import `compress`, and that file must not import torch,
which `import encoders` does.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
from pathlib import Path

FOLDER = Path(__file__).parent


def load() -> ctypes.CDLL | None:
    """The library compiled from the C files in this folder; None if the Python code must run."""
    return None if os.environ.get("COMPRESS_NATIVE", "").lower() in ("off", "0", "no", "false") else _open()


@functools.cache
def _open() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(FOLDER / "library.so"))
        library.sources.restype = ctypes.c_char_p
        built_from = library.sources().decode()
    except (OSError, AttributeError):  # not compiled, or for another machine: `compress doctor` says which
        return None
    digest = hashlib.sha256()
    for path in sorted([*FOLDER.glob("*.c"), *FOLDER.glob("*.h")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return library if built_from == digest.hexdigest() else None  # the C files may have changed since
