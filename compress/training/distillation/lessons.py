"""What teachers add to each step: their scores of its videos, and further videos that have nothing else."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from compress.datasets.batches import Position, Step, batches_an_epoch
from compress.progress import Reporter
from compress.training.config import TrainConfig
from compress.training.device.feed import Batch, batches
from compress.training.device.table import sent
from compress.training.distillation.distillation import Distillation
from compress.training.inputs import Table, training_order
from compress.training.mixup import mixed
from encoders import Inputs

LogOdds = Callable[[Inputs], Tensor]
_UNLABELLED_SEED = 1_000_003  # added to the recipe's: the two orders have nothing to do with each other


@dataclass(frozen=True)
class Lesson:
    """Of one step.

    Args:
        log_odds: of the batch of labelled videos, float16 (B, C), from its inputs as the student gets them;
            they are not looked at where scores are kept.
        further: videos that learn from the teachers alone, with their log-odds; or None.
    """

    log_odds: LogOdds
    further: tuple[Batch, LogOdds] | None = None


def lessons(
    distillation: Distillation,
    config: TrainConfig,
    table: Table,
    step: int,
    start: Position,
    device: str,
    report: Reporter,
) -> Generator[Lesson]:
    """The lessons of all steps from `step` on, one after the other. Close it when done.

    Which unlabelled videos come is a function of the recipe's seed and the number of the step, so that a
    training that goes on needs to keep nothing. Each of them comes once before any comes again.

    Args:
        distillation: was checked.
        config: the recipe.
        table: labelled videos, for which `training_order` gives the batches.
        step: number of the next step, from 0.
        start: position of the next batch of labelled videos.
        device: where the log-odds are wanted.
    """
    extra = distillation.unlabelled
    kept = distillation.scores(config, [table] if extra is None else [table, extra], device, report)
    order = training_order(table, config.batch_size, config.seed, start)
    labelled = _log_odds(distillation, kept[0], order, device)
    with ExitStack() as stack:
        if extra is None:
            for of_labelled in labelled:
                yield Lesson(of_labelled)
        else:
            further = _unlabelled(extra, config, step)
            feed = stack.enter_context(closing(batches(extra, further, torch.device(device), report)))
            scores = _log_odds(distillation, kept[1], _unlabelled(extra, config, step), device)
            parts = zip(labelled, feed, scores, strict=True)
            for number, (of_labelled, batch, of_unlabelled) in enumerate(parts, step):
                yield Lesson(of_labelled, (_mixed(batch, config, number), of_unlabelled))


def unlabelled_batch_size(config: TrainConfig, videos: int) -> int:
    """Videos without labels in a step, of so many: at least one."""
    return min(max(1, round(config.unlabelled_ratio * config.batch_size)), videos)


def _unlabelled(table: Table, config: TrainConfig, step: int) -> Iterator[Step]:
    size = unlabelled_batch_size(config, len(table))
    start = Position(*divmod(step, batches_an_epoch(len(table), size)))
    return training_order(table, size, config.seed + _UNLABELLED_SEED, start)


def _mixed(batch: Batch, config: TrainConfig, step: int) -> Batch:
    """Blended among themselves, where the recipe wants it: those with labels could not share theirs."""
    if not config.mixup:
        return batch
    seed = config.seed + _UNLABELLED_SEED
    return replace(batch, inputs=mixed(batch.inputs, batch.labels, config.mixup, seed, step)[0])


def _log_odds(
    distillation: Distillation, kept: np.ndarray | None, order: Iterator[Step], device: str
) -> Iterator[LogOdds]:
    for _, rows in order:
        if kept is None:
            yield distillation.teachers.log_odds
        else:
            yield _Kept(sent(kept[rows], torch.device(device)))


@dataclass(frozen=True, eq=False)
class _Kept:
    scores: Tensor

    def __call__(self, inputs: Inputs) -> Tensor:
        return self.scores
