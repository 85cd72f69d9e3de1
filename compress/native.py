"""Compiled versions of slow Python code: one small C library in each folder called `native`, through ctypes.

ctypes lets other threads run while C works. Every caller also has Python code with the same result, for when
there is no library: no C compiler at installation, or COMPRESS_NATIVE=off. `compress doctor` says which runs.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
from pathlib import Path

LIBRARY = "library.so"
SWITCH = "COMPRESS_NATIVE"
ROOT = Path(__file__).resolve().parent.parent


def load(folder: Path) -> ctypes.CDLL | None:
    """The library compiled from the C files in `folder`; None if the Python code must run."""
    return None if switched_off() else _open(folder)[0]


def why_not(folder: Path) -> str:
    """The reason why `load` returns None; "" if it does not."""
    return f"switched off by {SWITCH}=off" if switched_off() else _open(folder)[1]


def folders() -> list[Path]:
    """Every folder of this package and of `encoders` that has C files."""
    return sorted(
        {path.parent for name in ("compress", "encoders") for path in (ROOT / name).rglob("native/*.c")}
    )


def switched_off() -> bool:
    """Whether COMPRESS_NATIVE switches the compiled code off."""
    return os.environ.get(SWITCH, "").lower() in ("off", "0", "no", "false")


def source_hash(folder: Path) -> str:
    """sha256 (hex) of the C files in `folder`."""
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.c"), *folder.glob("*.h")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@functools.cache
def _open(folder: Path) -> tuple[ctypes.CDLL | None, str]:
    path = folder / LIBRARY
    if not path.is_file():
        return None, "not compiled: at installation there was no C compiler, or it refused"
    try:
        library = ctypes.CDLL(str(path))
        library.sources.restype = ctypes.c_char_p
        built_from = library.sources().decode()
    except (OSError, AttributeError) as error:
        return None, f"cannot be loaded ({error})"
    if built_from != source_hash(folder):  # an editable install whose C files have changed since
        return None, "compiled from other sources than those beside it"
    return library, ""
