"""How long-running work reports its progress, and how it is asked to stop.

Work functions take `report: Reporter = silent` and call it with a `Progress` or a `Note`; the caller decides
what a person sees of it (a bar, a line, nothing). At safe points they call `check_interrupt()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from compress.errors import Interrupted


@dataclass(frozen=True)
class Progress:
    """Countable work: `done` of `total` `unit`s of `stage`, with figures to show (loss, GAP, ...)."""

    stage: str
    done: int
    total: int
    unit: str = "videos"
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Note:
    """A sentence that a person should read: an estimate before long work, a resumed run, a skipped record.

    With `once`, a command that comes to it again does not repeat it. A `passing` one is of interest only
    while the work goes on, such as the figures of an epoch: a log may leave it out for a newer one.
    """

    text: str
    once: bool = False
    passing: bool = False


Event = Progress | Note
Reporter = Callable[[Event], None]


def silent(event: Event) -> None:
    """The reporter that shows nothing."""


_requested_signal: int | None = None


def request_interrupt(signal_number: int) -> None:
    """Ask running work to stop at its next safe point; called from a signal handler."""
    global _requested_signal
    _requested_signal = signal_number


def clear_interrupt() -> None:
    """Forget an earlier request."""
    global _requested_signal
    _requested_signal = None


def interrupt_requested() -> int | None:
    """The signal number of the request that waits, or None."""
    return _requested_signal


def check_interrupt(hint: str = "run the same command again to continue") -> None:
    """Raise `Interrupted` if a stop was requested; call it only where everything done is saved."""
    if _requested_signal is not None:
        raise Interrupted("stopped on request", signal_number=_requested_signal, hint=hint)
