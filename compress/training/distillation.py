"""Learning from finished models: the teachers, videos without labels, and what both add to each step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from compress.datasets.batches import Position, Step, batches_per_epoch
from compress.machine import memory_bytes
from compress.progress import Note, Reporter
from compress.training.config import TrainConfig
from compress.training.feed import Batch, batches
from compress.training.inputs import Table, sent, training_order
from compress.training.objective import mixed
from compress.training.teachers import Teachers, kept_scores, scores_bytes
from encoders import Inputs

KEPT_SHARE = 0.25  # of the machine's memory: beyond it, scores read in random order would come from the disk
LogitsOf = Callable[[Inputs], Tensor]
_UNLABELLED_SEED = 1_000_003  # added to the recipe's: the two orders have nothing to do with each other


@dataclass(frozen=True, eq=False)
class Distillation:
    """What a student learns from besides labels.

    Args:
        teachers: on the device of the training.
        unlabelled: videos that learn from the teachers alone, or None; their labels, where they have any,
            are not looked at.
        cache: folder in which the teachers' scores may be kept; None computes them with every batch.
        shards: patterns by which the unlabelled videos were found, so that it can be trained again.
    """

    teachers: Teachers
    unlabelled: Table | None = None
    cache: Path | None = None
    shards: tuple[str, ...] = ()

    def scores(
        self, config: TrainConfig, tables: list[Table], device: str, report: Reporter
    ) -> list[np.ndarray | None]:
        """Kept scores of each table, float16 (N, C); None for each where they are computed with every batch.

        By the recipe's `teacher_scores`; "auto" keeps them where the same inputs come again (no mixup), the
        device is a CPU, and they are at most KEPT_SHARE of its memory: a number of the machine, not of what
        is free now, so that a training that goes on there goes on in the same way.

        Raises:
            StorageError: the disk refuses them.
        """
        classes = tables[0].labels.num_classes
        size, memory = sum(scores_bytes(len(table), classes) for table in tables), memory_bytes()
        what = f"the teachers' scores of {sum(map(len, tables)):,} videos ({size / 1e9:.2f} GB)"
        fits = memory is None or size <= KEPT_SHARE * memory
        wanted = config.teacher_scores == "kept" or (
            config.teacher_scores == "auto" and device == "cpu" and not config.mixup and fits
        )
        if not wanted or self.cache is None:
            report(Note(f"{what} are computed with every batch"))
            return [None] * len(tables)
        report(Note(f"{what} are computed once and kept in {self.cache}"))
        return [kept_scores(self.teachers, table, self.cache, device, report) for table in tables]


@dataclass(frozen=True)
class Lesson:
    """Of one step.

    Args:
        logits: of the batch of labelled videos, float16 (B, C), from its inputs as the student gets them;
            they are not looked at where scores are kept.
        further: videos that learn from the teachers alone, with their logits; or None.
    """

    logits: LogitsOf
    further: tuple[Batch, LogitsOf] | None = None


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
        device: where the logits are wanted.
    """
    extra = distillation.unlabelled
    kept = distillation.scores(config, [table] if extra is None else [table, extra], device, report)
    order = training_order(table, config.batch_size, config.seed, start)
    labelled = _logits(distillation, kept[0], order, device)
    with ExitStack() as stack:
        if extra is None:
            for of_labelled in labelled:
                yield Lesson(of_labelled)
        else:
            further = _unlabelled(extra, config, step)
            feed = stack.enter_context(closing(batches(extra, further, torch.device(device), report)))
            scores = _logits(distillation, kept[1], _unlabelled(extra, config, step), device)
            parts = zip(labelled, feed, scores, strict=True)
            for number, (of_labelled, batch, of_unlabelled) in enumerate(parts, step):
                yield Lesson(of_labelled, (_mixed(batch, config, number), of_unlabelled))


def unlabelled_batch_size(config: TrainConfig, videos: int) -> int:
    """Videos without labels per step, out of so many: at least one."""
    return min(max(1, round(config.unlabelled_ratio * config.batch_size)), videos)


def _unlabelled(table: Table, config: TrainConfig, step: int) -> Iterator[Step]:
    size = unlabelled_batch_size(config, len(table))
    start = Position(*divmod(step, batches_per_epoch(len(table), size)))
    return training_order(table, size, config.seed + _UNLABELLED_SEED, start)


def _mixed(batch: Batch, config: TrainConfig, step: int) -> Batch:
    """Blended among themselves, where the recipe wants it: those with labels could not share theirs."""
    if not config.mixup:
        return batch
    seed = config.seed + _UNLABELLED_SEED
    return replace(batch, inputs=mixed(batch.inputs, batch.labels, config.mixup, seed, step)[0])


def _logits(
    distillation: Distillation, kept: np.ndarray | None, order: Iterator[Step], device: str
) -> Iterator[LogitsOf]:
    for _, rows in order:
        if kept is None:
            yield distillation.teachers.logits
        else:
            yield _Kept(sent(kept[rows], torch.device(device)))


@dataclass(frozen=True, eq=False)
class _Kept:
    scores: Tensor

    def __call__(self, inputs: Inputs) -> Tensor:
        return self.scores
