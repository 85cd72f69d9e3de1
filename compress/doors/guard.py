"""What a library raises about a damaged file becomes one of our errors, whatever it is."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from compress.doors.claims import most_bytes, size_of
from compress.errors import CompressError, DataError, UnavailableError

# What the system refuses is no fault of the contents. (zipfile and pyarrow raise EINVAL for some damage.)
_REFUSALS = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EISDIR,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENODEV,
        errno.ENOENT,
        errno.ENOSPC,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
    }
)
_LONGEST_REASON = 200
_END: Any = object()

Item = TypeVar("Item")


@contextmanager
def guarded(
    where: str | Path, kind: str, *, error: type[CompressError] = DataError, hint: str = ""
) -> Iterator[None]:
    """Around the calls of one library that read a file: what they raise is an error that names the file.

    Our own errors, Ctrl-C and what the system refuses pass. Nothing else belongs inside: a mistake of our own
    would be called a damaged file.

    Args:
        where: the file, or a place in it.
        kind: what it should be, with its article: "a .npz file".
        error: raised instead.
        hint: of the error.

    Raises:
        UnavailableError: too little memory for a file that claims no more than it may.

    Example:
        >>> with guarded("x.json", "JSON"):
        ...     raise IndexError("5")
        Traceback (most recent call last):
        compress.errors.DataError: x.json: is damaged or not JSON (5)
    """
    try:
        yield
    except MemoryError as cause:
        wanted = _wanted_bytes(cause)
        if wanted is not None and wanted > most_bytes(size_of(where)):
            what = f"is damaged or not {kind} (it claims {wanted:,} bytes)"
            raise error(what, where=where, hint=hint) from cause
        raise UnavailableError("this machine has not enough memory to read it", where=where) from cause
    except BaseException as cause:
        if not _is_about_the_file(cause):
            raise
        what = f"is damaged or not {kind} ({reason(cause)})"
        raise error(what, where=where, hint=hint) from cause


def each_guarded(where: str | Path, kind: str, start: Callable[[], Iterator[Item]]) -> Iterator[Item]:
    """What an iterator of a library gives, each step inside `guarded`."""
    with guarded(where, kind):
        items = start()
    while True:
        with guarded(where, kind):
            item = next(items, _END)
        if item is _END:
            return
        yield item


def reason(cause: BaseException) -> str:
    """The first line of an exception, or its name where it says nothing."""
    text = " ".join(str(cause).split("\n")[0].split()) or type(cause).__name__
    return text if len(text) <= _LONGEST_REASON else text[:_LONGEST_REASON] + "..."


def _is_about_the_file(cause: BaseException) -> bool:
    if isinstance(cause, OSError):
        return cause.errno not in _REFUSALS
    if isinstance(cause, Exception):
        return not isinstance(cause, CompressError)
    return type(cause).__name__ == "PanicException"  # of a library in Rust, and no Exception


def _wanted_bytes(cause: MemoryError) -> int | None:
    """How much a library asked for, where it says so (pyarrow: "malloc of size 123 failed")."""
    before, found, after = str(cause).partition("of size ")
    digits = after.split(" ")[0] if found and "alloc" in before else ""
    return int(digits) if digits.isdecimal() else None
