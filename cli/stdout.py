"""A stdout that the caller closed (`>&-`): a result that is printed there is lost, as on a full disk."""

from __future__ import annotations

import errno
import io
import os
import sys


class ClosedStdout(io.TextIOWrapper):
    """In place of the `None` that Python has for a closed stdout; whoever prints a result fails with it."""

    def __init__(self) -> None:
        nothing = open(os.devnull, "wb")  # noqa: SIM115  # keeps the number 1 from other files
        super().__init__(nothing, encoding="utf-8")

    def write(self, text: str) -> int:
        """OSError, unless there is nothing to write."""
        if text:
            raise OSError(errno.EBADF, "is closed, so the result cannot be printed", "standard output")
        return 0


def replace_closed() -> None:
    """Put something in place of a closed stdout or stderr, so that nobody fails at `None`."""
    if sys.stdout is None:
        sys.stdout = ClosedStdout()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115


def is_closed() -> bool:
    """Whether the caller closed stdout."""
    return isinstance(sys.stdout, ClosedStdout)
