"""Progress for a person, always on stderr: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from compress.foreign_text import one_line, visible
from compress.progress import Event, Note, Progress, Reporter
from compress.progress import silent as show_nothing

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

FIRST_SECONDS, SECONDS_BETWEEN_LINES = 2.0, 30.0
"""Until the first line of progress, and at most between two of them; each wait is twice the one before."""
SECONDS_BETWEEN_PASSING = 10.0
"""Between two passing notes."""


@contextmanager
def reporter(*, silent: bool) -> Iterator[Reporter]:
    """The reporter that fits where stderr goes."""
    if silent:
        yield show_nothing
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield _each_once(Bars(bars))
    else:
        lines = Lines()
        try:
            yield _each_once(lines)
        finally:
            lines.close()


def _each_once(show: Reporter) -> Reporter:
    """A reporter without the notes that were shown before and are to be shown once."""
    shown: set[str] = set()

    def report(event: Event) -> None:
        if isinstance(event, Note) and event.once:
            if event.text in shown:
                return
            shown.add(event.text)
        show(event)

    return report


class Lines:
    """Plain lines for a log, which keeps them: few, however much there is to do.

    A note is written at once, and a passing one if none was for some seconds; else the newest waits, until it
    is due or another note makes it old. A step of progress is written where nothing was for a while, and at
    the end of a stage that took long.

    Args:
        clock: seconds, monotonic.
        write: takes one line without its end.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, write: Callable[[str], None] | None = None
    ) -> None:
        self.clock, self.write = clock, write or _to_stderr
        self.stage, self.first, self.last, self.started = "", 0, 0, 0.0
        self.wait, self.shown = FIRST_SECONDS, clock()
        self.waiting, self.passed = "", -SECONDS_BETWEEN_PASSING

    def __call__(self, event: Event) -> None:
        """Show one event, or leave it out when the last line is too fresh."""
        now = self.clock()
        if isinstance(event, Progress):
            self._step(event, now)
        elif event.passing:
            self.waiting = event.text
        else:
            self.waiting = ""
            self._write(event.text, now)
        if self.waiting and now - self.passed >= SECONDS_BETWEEN_PASSING:
            self.close()

    def close(self) -> None:
        """Write the note that still waits."""
        if self.waiting:
            self.passed = self.clock()
            self._write(self.waiting, self.passed)
        self.waiting = ""

    def _step(self, event: Progress, now: float) -> None:
        if event.stage != self.stage or event.done < self.last:  # or the same again
            self.stage, self.first, self.started = event.stage, event.done, now
        self.last = event.done
        ends = event.done >= event.total and now - self.started >= SECONDS_BETWEEN_LINES
        if ends or now - self.shown >= self.wait:
            self.wait = min(2 * self.wait, SECONDS_BETWEEN_LINES)
            self._write(line(event, event.done - self.first, now - self.started), now)

    def _write(self, text: str, now: float) -> None:
        self.shown = now
        self.write(text)


class Bars:
    """One bar a stage; the finished ones stay."""

    def __init__(self, bars: RichProgress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}
        self.stage = ""

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Note):
            self.bars.console.print(visible(event.text), markup=False, highlight=False)
            return
        if event.stage != self.stage:
            self.stage = event.stage
            self.tasks[event.stage] = self.bars.add_task(
                one_line(event.stage), total=event.total, unit=event.unit, figures=""
            )
        self.bars.update(
            self.tasks[event.stage], completed=event.done, total=event.total, figures=figures(event.figures)
        )


def line(event: Progress, done: int, seconds: float) -> str:
    """One step as text: `train 1,024/23,000 videos (4 %), loss 0.61, 812 videos/s, 27 s left`.

    Args:
        event: the step.
        done: how much of it was done in `seconds`; less than `event.done` in a run that was resumed.
        seconds: since the first step; below one, a rate would say nothing.
    """
    parts = [f"{event.stage} {event.done:,}/{event.total:,} {event.unit}{_percent(event)}"]
    if event.figures:
        parts.append(figures(event.figures))
    if seconds >= 1 and done > 0:
        rate = done / seconds
        if not any("/s" in name for name in event.figures):
            parts.append(_rate(rate, event.unit))
        if event.done < event.total:
            parts.append(f"{duration((event.total - event.done) / rate)} left")
    return ", ".join(parts)


def figures(values: Mapping[str, float]) -> str:
    """Figures in the order given: `loss 0.6113, GAP 0.7014, 812 videos/s`."""
    return ", ".join(
        f"{value:,.0f} {name}" if "/s" in name else f"{name} {_short(value)}"
        for name, value in values.items()
    )


def duration(seconds: float) -> str:
    """Seconds as a person says them: `27 s`, `4 min 05 s`, `2 h 10 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"


def _rate(rate: float, unit: str) -> str:
    return f"{rate:,.0f} {unit}/s" if rate >= 10 else f"{rate:.2g} {unit}/s"


def _percent(event: Progress) -> str:
    return f" ({100 * event.done // event.total} %)" if event.total else ""


def _to_stderr(text: str) -> None:
    print(visible(text), file=sys.stderr, flush=True)


def _bars() -> RichProgress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as RichProgress
    from rich.text import Text

    class Rate(ProgressColumn):
        """Units a second, unless the work's own figures say it."""

        def render(self, task: Task) -> Text:
            own = "/s" in task.fields["figures"]
            return Text("" if own or not task.speed else _rate(task.speed, task.fields["unit"]))

    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}", markup=False),
        Rate(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
