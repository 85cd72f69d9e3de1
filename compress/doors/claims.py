"""What a file may claim: so many bytes of arrays, at most, follow from its size.

A file of a few kilobytes can say that it holds terabytes, and one of megabytes can unpack to gigabytes of
zeros. Honest files come nowhere near: float features shrink to nine tenths of their size, a table of 0 and 1
to a few hundredths.
"""

from __future__ import annotations

from pathlib import Path

from compress.errors import DataError

MOST_INFLATED = 1032
"""One byte becomes so many at most (zlib's technical details)."""

SMALL_BYTES = 64 << 20
"""So much any file may claim: values that were never written take no space in it."""

_AT_ONCE = 32
_SMALL_AT_ONCE = 256 << 20


def most_bytes(size: int) -> int:
    """How many bytes the arrays of a file of `size` bytes may have in all; they are read piece by piece."""
    return SMALL_BYTES + MOST_INFLATED * size


def most_at_once(size: int) -> int:
    """How many bytes of it may have to be in memory together: one video, or an array that has to be whole."""
    return _SMALL_AT_ONCE + _AT_ONCE * size


def size_of(where: str | Path) -> int:
    """The size of a file in bytes; 0 where there is none."""
    path = Path(where)
    return path.stat().st_size if path.is_file() else 0


def check_claim(path: Path, name: str, claimed: int, size: int) -> None:
    """DataError if something in a file of `size` bytes claims more than `most_bytes`."""
    if claimed > most_bytes(size):
        raise _refused(path, f"{name} claims {claimed:,} bytes")


def check_at_once(path: Path, name: str, wanted: int, size: int) -> None:
    """DataError if a piece of a file of `size` bytes would take more memory than `most_at_once`."""
    if wanted > most_at_once(size):
        raise _refused(path, f"{name} takes {wanted:,} bytes of memory at once")


def check_inside(path: Path, name: str, claimed: int, size: int) -> None:
    """DataError if something that is stored as it is claims more bytes than its file of `size` bytes has."""
    if claimed > size:
        raise _refused(path, f"{name} claims {claimed:,} bytes")


def _refused(path: Path, claim: str) -> DataError:
    return DataError(
        f"{claim}, which a file of {size_of(path):,} bytes cannot hold",
        where=path,
        hint="fetch it again, or write what is used to a file of its own",
    )
