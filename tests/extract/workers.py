"""Work for processes; light, so that a process starts at once."""

from __future__ import annotations

import os
from collections.abc import Callable

from compress.errors import StorageError


def doubling() -> Callable[[int], int]:
    """Doubles numbers; 13 crashes the process, 99 finds the disk full."""

    def work(number: int) -> int:
        if number == 13:
            os._exit(11)
        if number == 99:
            raise StorageError("disk full", where="x", hint="free some space")
        return 2 * number

    return work


def refusing() -> Callable[[int], int]:
    """Cannot start."""
    raise StorageError("no weights", where="y")


def dying() -> Callable[[int], int]:
    """Ends the process while it starts."""
    os._exit(3)
