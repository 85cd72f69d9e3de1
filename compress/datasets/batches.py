"""The order of rows in training: a pure function of (seed, epoch), so that a position is two integers.

The order of an epoch comes from `numpy.random.default_rng([seed, epoch])`. It does not depend on the machine,
the number of processes, or earlier epochs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from compress.errors import UsageError


@dataclass(frozen=True, order=True)
class Position:
    """Batches `0..batch - 1` of epoch `epoch` are done, and all epochs before."""

    epoch: int = 0
    batch: int = 0

    def after(self, batches_per_epoch: int) -> Position:
        """The position one batch later."""
        if self.batch + 1 < batches_per_epoch:
            return Position(self.epoch, self.batch + 1)
        return Position(self.epoch + 1, 0)


Step = tuple[Position, np.ndarray]


def batches_per_epoch(num_rows: int, batch_size: int, visits: int = 1) -> int:
    """How many batches visit every row `visits` times; the last may be shorter."""
    return -(-num_rows * visits // batch_size)


def visits_of_few(num_rows: int, batch_size: int, least_batches: int) -> int:
    """How often an epoch must visit each row to have at least so many batches.

    Example:
        >>> visits_of_few(23_091, 256, 80), visits_of_few(500, 32, 80)
        (1, 6)
    """
    return max(1, (least_batches - 1) * batch_size // num_rows + 1)


def shuffled_batches(
    num_rows: int, batch_size: int, seed: int, start: Position = Position(), *, visits: int = 1
) -> Iterator[Step]:
    """Endless shuffled batches; each epoch visits every row once, or `visits` times.

    Args:
        num_rows: N, at least 1.
        batch_size: rows per batch, at least 1; the last batch of an epoch may be shorter.
        seed: at least 0.
        start: where an earlier run stopped.
        visits: at least 1; every row comes once before any comes again.

    Yields:
        The position after the batch, and its rows, int64 (b,).

    Raises:
        UsageError: sizes below 1, or a position outside the epoch.
    """
    total = _check(num_rows, batch_size, seed, start, visits)
    position = start
    while True:
        order = _shuffled(num_rows, visits, _generator(seed, position.epoch))
        for batch in range(position.batch, total):
            position = position.after(total)
            yield position, order[batch * batch_size : (batch + 1) * batch_size]


def bucketed_batches(
    lengths: np.ndarray,
    batch_size: int,
    seed: int,
    start: Position = Position(),
    *,
    window: int = 64,
    visits: int = 1,
) -> Iterator[Step]:
    """As `shuffled_batches`, but with videos of similar length in a batch, so that there is little padding.

    Rows are shuffled, cut into windows, sorted by length inside each window, cut into batches; the batches of
    the epoch are then shuffled.

    Args:
        lengths: int64 (N,), frames of each video.
        batch_size: rows per batch; one batch of an epoch may be shorter.
        seed: at least 0.
        start: where an earlier run stopped.
        window: batches per window; 1 is a plain shuffle, more means less padding but less randomness.
        visits: at least 1; how often an epoch visits each row.

    Yields:
        The position after the batch, and its rows, int64 (b,).

    Raises:
        UsageError: sizes below 1, or a position outside the epoch.
    """
    if window < 1:
        raise UsageError(f"a window must have at least 1 batch, not {window}")
    total = _check(len(lengths), batch_size, seed, start, visits)
    position = start
    while True:
        batches = _bucketed_epoch(lengths, batch_size, window, visits, _generator(seed, position.epoch))
        for batch in range(position.batch, total):
            position = position.after(total)
            yield position, batches[batch]


def sequential_batches(num_rows: int, batch_size: int) -> Iterator[np.ndarray]:
    """Rows 0..N - 1 once, in order: int64 (b,) each."""
    _check(num_rows, batch_size, 0, Position())
    for first in range(0, num_rows, batch_size):
        yield np.arange(first, min(first + batch_size, num_rows))


def _bucketed_epoch(
    lengths: np.ndarray, batch_size: int, window: int, visits: int, random: np.random.Generator
) -> list[np.ndarray]:
    order = _shuffled(len(lengths), visits, random)
    batches = []
    for first in range(0, len(order), window * batch_size):
        rows = order[first : first + window * batch_size]
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        batches += [rows[at : at + batch_size] for at in range(0, len(rows), batch_size)]
    return [batches[place] for place in random.permutation(len(batches))]


def _shuffled(num_rows: int, visits: int, random: np.random.Generator) -> np.ndarray:
    return np.concatenate([random.permutation(num_rows) for _ in range(visits)])


def _generator(seed: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch])


def _check(num_rows: int, batch_size: int, seed: int, start: Position, visits: int = 1) -> int:
    if num_rows < 1 or batch_size < 1 or seed < 0 or visits < 1:
        what = f"{num_rows} rows in batches of {batch_size}, {visits} times, with seed {seed} cannot be made"
        raise UsageError(what)
    total = batches_per_epoch(num_rows, batch_size, visits)
    if start.epoch < 0 or not 0 <= start.batch < total:
        raise UsageError(
            f"position {start} is outside an epoch of {total} batches",
            hint="data and batch size must be those of the run that is continued",
        )
    return total
