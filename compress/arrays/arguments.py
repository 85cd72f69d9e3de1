"""Whole numbers and paths, as people pass them."""

from __future__ import annotations

import operator
import os
from pathlib import Path
from typing import Any

from compress.errors import UsageError

MOST = 2**63 - 1


def whole_number(value: Any, name: str, *, least: int = 0, most: int = MOST) -> int:
    """An argument that counts something, or a seed: an int of Python, numpy or torch, not a bool.

    Args:
        value: what was passed.
        name: of the argument.
        least, most: the smallest and the largest that is allowed.

    Raises:
        UsageError: another type, or out of range.

    Example:
        >>> whole_number(np.int64(3), "k", least=1)
        3
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError as error:
        raise UsageError(f"{name} must be a whole number, not {value!r:.60}") from error
    if number < least:
        raise UsageError(f"{name} is {number}, but must be at least {least}")
    if number > most:
        raise UsageError(f"{name} is {number}, but must be at most {most}")
    return number


def as_path(value: Any, what: str = "path") -> Path:
    """A str or Path as a Path; ~ is the home folder.

    Raises:
        UsageError: neither a str nor a Path, empty, or what no file can be called.
    """
    if not isinstance(value, str | os.PathLike) or isinstance(found := os.fspath(value), bytes):
        raise UsageError(f"{what} must be a str or a Path, not {value!r}")
    path = Path(found)
    if not found or "\0" in found or any(len(os.fsencode(part)) > 255 for part in path.parts):
        raise UsageError(f"{what} {found[:40]!r} is empty, too long or holds a NUL")
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UsageError(f"{what} {found!r} names a home folder that is not there") from error
