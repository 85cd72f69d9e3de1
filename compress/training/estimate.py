"""How long a training will take, said before and early on."""

from __future__ import annotations

import time

from compress.progress import Note, Reporter
from compress.training.config import TrainConfig
from encoders import Model

_MEASURE_SECONDS = 5.0
BYTES_A_WEIGHT = 16  # weight, running average and Adam's two moments, float32


def describe(config: TrainConfig, model: Model, videos: int, steps: int) -> str:
    """One line: sizes, steps, and what a checkpoint takes on the disk."""
    counts = model.parameter_counts()
    total = sum(counts.values())
    nested = counts.get("nested_heads", 0)
    heads = f"{config.head} {'heads' if nested else 'head'} {(counts['head'] + nested) / 1e6:.2f} M"
    return (
        f"{config.encoder}: {counts['encoder'] / 1e6:.2f} M parameters, {heads}; "
        f"{_many(config.epochs, 'epoch')} of {_many(steps, 'step')} over {videos:,} videos; "
        f"{total * BYTES_A_WEIGHT / 1e6:,.0f} MB of memory and disk for weights and optimiser"
    )


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """Seconds for a person.

    Example:
        >>> duration(75), duration(7300)
        ('1.2 min', '2.0 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


class Stopwatch:
    """Says once, after the first seconds of some work, how long the rest will take.

    Args:
        total: steps of the work.
        report: gets the estimate.
        what: how the note calls what is left.
        videos: per step.
    """

    def __init__(self, total: int, report: Reporter, what: str = "the rest", videos: int = 1) -> None:
        self._total, self._report, self._what, self._videos = total, report, what, videos
        self._first: tuple[int, float] | None = None
        self._said = False

    def tick(self, done: int) -> None:
        """Call after each step, with the number of steps that are done."""
        now = time.monotonic()
        if self._first is None:
            self._first = (done, now)  # the first step pays for warming up
            return
        steps, passed = done - self._first[0], now - self._first[1]
        if not self._said and passed >= _MEASURE_SECONDS:
            self._said = True
            left, rate = duration((self._total - done) * passed / steps), steps * self._videos / passed
            self._report(Note(f"{self._what} takes about {left} ({rate:,.0f} videos/s)"))
