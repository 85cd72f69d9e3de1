"""How long-running work reports its progress, and how it is asked to stop.

Work functions take `report: Reporter = silent` and call it with a `Progress` or a `Note`; the caller decides
what a person sees of it (a bar, a line, nothing). At safe points they call `check_interrupt()`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar, cast

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


Result = TypeVar("Result")
_LAPACK, _LOOK_SECONDS = "lapack", 0.1
_CONTINUE = "run the same command again to continue"
_requested_signal: int | None = None
_stops_at_once: list[str] = []  # the hints of the surrounding `stopping_at_once`


def request_interrupt(signal_number: int) -> None:
    """Ask running work to stop at its next safe point; called from a signal handler.

    Raises:
        Interrupted: within `stopping_at_once`.
    """
    global _requested_signal
    _requested_signal = signal_number
    if _stops_at_once:
        check_interrupt(_stops_at_once[-1])


@contextmanager
def stopping_at_once(hint: str = _CONTINUE) -> Iterator[None]:
    """Within, a request raises Interrupted where it arrives, not at the next safe point.

    For one long call of a library that lets Python run signal handlers and passes on what they raise (FAISS),
    or for waiting; nothing that is half done may be within.
    """
    check_interrupt(hint)
    _stops_at_once.append(hint)
    try:
        yield
    finally:
        _stops_at_once.pop()


def clear_interrupt() -> None:
    """Forget an earlier request."""
    global _requested_signal
    _requested_signal = None


def interrupt_requested() -> int | None:
    """The signal number of the request that waits, or None."""
    return _requested_signal


def check_interrupt(hint: str = _CONTINUE) -> None:
    """Raise `Interrupted` if a stop was requested; call it only where everything done is saved."""
    if _requested_signal is not None:
        raise Interrupted("stopped on request", signal_number=_requested_signal, hint=hint)


def uninterrupted(function: Callable[[], Result]) -> Result:
    """function(), for one call of many seconds (LAPACK) that cannot be stopped itself.

    It runs in a thread of its own, while this one waits for it or for Ctrl-C. After Ctrl-C nobody takes its
    result any more; `left_behind` then says that it may still run.

    Raises:
        Interrupted: on request.
    """
    done: list[tuple[Result | None, BaseException | None]] = []

    def work() -> None:
        try:
            done.append((function(), None))
        except BaseException as error:
            done.append((None, error))

    thread = threading.Thread(target=work, name=_LAPACK, daemon=True)
    thread.start()
    while thread.is_alive():
        check_interrupt()
        thread.join(_LOOK_SECONDS)  # not `SimpleQueue.get`: a signal can make it wait without an end
    result, error = done[0]
    if error is not None:
        raise error
    return cast(Result, result)


def left_behind() -> bool:
    """Whether a call of `uninterrupted` still runs that nobody waits for."""
    return any(thread.name == _LAPACK for thread in threading.enumerate())
