"""Cost of a training: measured beforehand by a few real steps, and estimated in its first seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from compress.datasets.batches import Position, visits_of_few
from compress.datasets.table import FrameTable
from compress.machine import use_torch_threads
from compress.progress import Note, Reporter
from compress.training.checks import check
from compress.training.config import TrainConfig
from compress.training.inputs import Table, batch, training_order
from compress.training.new_model import new_model
from compress.training.objective import criterion_of, loss_function, targets_of
from compress.training.optimizer import WeightAverage, build_optimizer
from compress.training.precision import device_settings
from compress.training.state import TrainState, refuse_divergence, step
from encoders import Model, keep_freed_memory

BUDGET = 2.0  # seconds
_LEAST_ROWS = 8  # videos of a first, small step; batch norm needs a few
_PART = 16  # the first step has one 16th of a batch
FORWARD = 1 / 3  # of a training step, roughly: the backward pass costs twice the forward pass
_MEASURE_SECONDS = 5.0
BYTES_PER_WEIGHT = 16  # weight, running average and Adam's two moments, float32


@dataclass(frozen=True)
class Cost:
    """Cost of a training on this machine, as busy as it was while measuring.

    Args:
        warm_epoch, epoch: seconds per pass over the training videos, in the warm epochs and in the others.
        validation: seconds per pass over the validation videos.
        epochs, warm_epochs: of the recipe.
        parameters: trained parameters, heads included.
    """

    warm_epoch: float
    epoch: float
    validation: float
    epochs: int
    warm_epochs: int
    parameters: int

    @property
    def weights_bytes(self) -> int:
        """Bytes of weights, running average and optimiser, in memory and in a checkpoint."""
        return self.parameters * BYTES_PER_WEIGHT

    def seconds(self, done: int = 0) -> float:
        """Seconds left after `done` epochs, with the validation after each epoch."""
        warm = max(self.warm_epochs - done, 0)
        left = max(self.epochs - done, 0)
        return warm * self.warm_epoch + (left - warm) * self.epoch + left * self.validation


def measure_cost(
    config: TrainConfig,
    table: Table,
    validation: Table,
    *,
    device: str = "cpu",
    threads: int = 0,
    budget: float = BUDGET,
    clock: Callable[[], float] = time.perf_counter,
) -> Cost:
    """Train the model of a recipe for about `budget` seconds, and discard it.

    Args:
        config: the recipe; it has a head.
        table, validation: videos to train and to measure on.
        device: "cpu" or "cuda".
        threads: CPU threads of torch; 0 leaves them as they are.
        budget: seconds of timed steps, for each of the two stages of a recipe with warm epochs. If a whole
            batch takes longer, part of one is timed, which makes the estimate too high.
        clock: seconds, monotonic.

    Raises:
        UsageError, SchemaError, UnavailableError: the training would be refused.
        DivergedError: its first loss is not finite.
    """
    check(config, table, validation, device)
    use_torch_threads(threads)
    keep_freed_memory()
    torch.manual_seed(config.seed)
    model = new_model(config, table).to(device)
    state = TrainState(model, WeightAverage(model, config.ema), build_optimizer(model, config))
    steps = training_order(table, config.batch_size, config.seed, Position(0, 0))
    order = (rows for _, rows in steps)

    def timed(warm: bool) -> float:
        if config.warm_epochs:
            model.encoder.set_warm(warm)
        return _seconds_per_unit(config, state, table, order, device, budget, clock)

    with device_settings(device, config.precision, same_shapes=table.schema.level == "video"):
        warm_unit = timed(True) if config.warm_epochs else 0.0
        unit = timed(False)
    visits = visits_of_few(len(table), config.batch_size, config.least_steps)
    train, held_out = visits * _work(table), _work(validation)
    parameters = sum(model.parameter_counts().values())
    return Cost(
        warm_epoch=warm_unit * train,
        epoch=unit * train,
        validation=unit * held_out * FORWARD,
        epochs=config.epochs,
        warm_epochs=config.warm_epochs,
        parameters=parameters,
    )


def _work(table: Table, rows: np.ndarray | None = None) -> int:
    """Units of work of some rows (None: all): frames, or videos at video level."""
    if not isinstance(table, FrameTable):
        return len(table) if rows is None else len(rows)
    lengths = table.num_frames
    return int((lengths if rows is None else lengths[rows]).sum())


def _seconds_per_unit(
    config: TrainConfig,
    state: TrainState,
    table: Table,
    order: Iterator[np.ndarray],
    device: str,
    budget: float,
    clock: Callable[[], float],
) -> float:
    loss_of = loss_function(config, state.model, device, criterion_of(config, table, device))
    targets_for = targets_of(config, table, device)

    def train(rows: np.ndarray) -> None:
        state.model.train()
        inputs, targets = targets_for(state.at.step, *batch(table, rows, torch.device(device)))
        loss = step(config, state, inputs, targets, loss_of)
        state.average.update(state.model, 1)
        refuse_divergence(float(loss), 1)  # float() also waits until a GPU has finished

    rows = next(order)
    few = rows[: max(_LEAST_ROWS, len(rows) // _PART)]
    train(few)  # not timed: the first step also allocates
    size, begun = len(few), clock()
    train(few)
    # A step has a price of its own, whatever its size (the optimiser's): few rows at once look too dear. The
    # last of these steps also allocates for the ones that are timed.
    while size < len(rows) and 2 * (clock() - begun) <= budget:
        size, begun = min(2 * size, len(rows)), clock()
        train(rows[:size])
    work, begun, now = 0, clock(), 0.0
    while not work or now - begun < budget:
        rows = next(order)[:size]
        train(rows)
        work, now = work + max(_work(table, rows), 1), clock()
    return (now - begun) / work


def describe(config: TrainConfig, model: Model, videos: int, steps: int) -> str:
    """One line: parameters, steps, and the size of a checkpoint."""
    counts = model.parameter_counts()
    total = sum(counts.values())
    nested = counts.get("nested_heads", 0)
    heads = f"{config.head} {'heads' if nested else 'head'} {(counts['head'] + nested) / 1e6:.2f} M"
    return (
        f"{config.encoder}: {counts['encoder'] / 1e6:.2f} M parameters, {heads}; "
        f"{_many(config.epochs, 'epoch')} of {_many(steps, 'step')} over {videos:,} videos; "
        f"{total * BYTES_PER_WEIGHT / 1e6:,.0f} MB of memory and disk for weights and optimiser"
    )


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(seconds: float) -> str:
    """Seconds in a readable unit.

    Example:
        >>> duration(75), duration(7300)
        ('1.2 min', '2.0 h')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


class Stopwatch:
    """Reports once, some seconds after the start, how long the rest of `total` steps will take.

    `what` is the note's name for the rest; `videos` are those of a step.
    """

    def __init__(self, total: int, report: Reporter, what: str = "the rest", videos: int = 1) -> None:
        self._total, self._report, self._what, self._videos = total, report, what, videos
        self._first: tuple[int, float] | None = None
        self._said = False

    def tick(self, done: int) -> None:
        """Call after each step, with the number of steps that are done."""
        now = time.monotonic()
        if self._first is None:
            self._first = (done, now)  # not counted: the first step includes warming up
            return
        steps, passed = done - self._first[0], now - self._first[1]
        if not self._said and passed >= _MEASURE_SECONDS:
            self._said = True
            left, rate = duration((self._total - done) * passed / steps), steps * self._videos / passed
            text = f"{self._what} takes about {left} ({rate:,.0f} videos/s)"
            self._report(Note(text, passing=True))
