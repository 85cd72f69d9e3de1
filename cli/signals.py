"""Ctrl-C and SIGTERM: the first asks work to stop where everything done is kept, the second stops at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from compress.progress import clear_interrupt, interrupt_requested, request_interrupt

SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def stop_at_safe_points() -> Iterator[None]:
    """Within: SIGINT and SIGTERM become a request that `check_interrupt()` answers."""
    clear_interrupt()
    before = {number: signal.signal(number, _on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        clear_interrupt()


def _on_signal(number: int, frame: FrameType | None) -> None:
    # Only os.write and os._exit here: a handler may run in the middle of a print, and a second lock of the
    # same stream would raise.
    if interrupt_requested() is None:
        request_interrupt(number)
        _tell("stopping at the next safe point; once more stops at once\n")
        return
    _tell((SHOW_CURSOR if sys.stderr.isatty() else "") + "stopped at once\n")
    os._exit(128 + number)


def _tell(text: str) -> None:
    try:
        os.write(2, text.encode())
    except OSError:
        # Nobody reads stderr any more; stopping matters, the words do not.
        return
