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
    """Says once, after the first seconds of each stage, how long the rest will take.

    Args:
        config: the recipe; warm epochs are a stage of their own.
        steps: an epoch.
        report: gets the estimate.
    """

    def __init__(self, config: TrainConfig, steps: int, report: Reporter) -> None:
        self.config, self.steps, self.report = config, steps, report
        self.stage: int | None = None
        self.first_step, self.started, self.said = 0, 0.0, False

    def tick(self, step: int) -> None:
        """Call after each step (from 1)."""
        warm = self.config.warm_epochs * self.steps
        stage = int(step >= warm)
        if stage != self.stage:
            self.stage, self.first_step, self.started, self.said = stage, step, time.monotonic(), False
            return
        passed = time.monotonic() - self.started
        if self.said or passed < _MEASURE_SECONDS:
            return
        self.said = True
        end = self.config.epochs * self.steps if stage else warm
        each = passed / (step - self.first_step)
        what = "the rest" if stage else "the warm-up"
        rate = self.config.batch_size / each
        self.report(Note(f"{what} takes about {duration((end - step) * each)} ({rate:,.0f} videos/s)"))
