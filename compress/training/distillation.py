"""Distillation: teachers, unlabelled videos, and what both add to each training step."""

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

KEPT_SHARE = 0.25  # of the machine's memory; more scores would be read from disk in random order
LogitsOf = Callable[[Inputs], Tensor]
_UNLABELLED_SEED = 1_000_003  # added to the recipe's seed, so that the two orders are independent


@dataclass(frozen=True, eq=False)
class Distillation:
    """What a student learns from, besides labels.

    Args:
        teachers: on the device of the training.
        unlabelled: videos that are trained on the teachers alone, or None; any labels they have are ignored.
        cache: folder in which the teachers' scores may be kept; None computes them for every batch.
        shards: file patterns of the unlabelled videos, noted in config.json.
    """

    teachers: Teachers
    unlabelled: Table | None = None
    cache: Path | None = None
    shards: tuple[str, ...] = ()

    def scores(
        self, config: TrainConfig, tables: list[Table], device: str, report: Reporter
    ) -> list[np.ndarray | None]:
        """Kept scores of each table, float16 (N, C); None for each if they are computed for every batch.

        By the recipe's `teacher_scores`; "auto" keeps them if the same inputs come again (no mixup), the
        device is a CPU, and they are at most KEPT_SHARE of its memory. That is all memory, not the free
        memory, so that a resumed training decides the same.

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
            report(Note(f"{what} are computed for every batch"))
            return [None] * len(tables)
        report(Note(f"{what} are computed once and kept in {self.cache}"))
        return [kept_scores(self.teachers, table, self.cache, device, report) for table in tables]


@dataclass(frozen=True)
class Lesson:
    """The teachers' part of one step.

    Args:
        logits: gives those of the labelled batch, float16 (B, C), from the student's inputs (which are
            ignored if scores are kept).
        further: unlabelled videos, and the same for them; or None.
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
    *,
    rows: np.ndarray | None = None,
) -> Generator[Lesson]:
    """The lessons of all steps from `step` (from 0) on. Close the generator when done.

    `start` is the position of the next batch of labelled videos. The unlabelled videos of a step follow from
    the recipe's seed and the number of the step, so a checkpoint needs nothing for them; each of them comes
    once before any comes again. Of the table only `rows` are trained on, None for all.
    """
    extra = distillation.unlabelled
    kept = distillation.scores(config, [table] if extra is None else [table, extra], device, report)
    size, least = config.batch_size, config.least_steps
    order = training_order(table, size, config.seed, start, rows=rows, least_batches=least)
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
    """Unlabelled videos per step, of `videos` that there are: at least one."""
    return min(max(1, round(config.unlabelled_ratio * config.batch_size)), videos)


def _unlabelled(table: Table, config: TrainConfig, step: int) -> Iterator[Step]:
    size = unlabelled_batch_size(config, len(table))
    start = Position(*divmod(step, batches_per_epoch(len(table), size)))
    return training_order(table, size, config.seed + _UNLABELLED_SEED, start)


def _mixed(batch: Batch, config: TrainConfig, step: int) -> Batch:
    """Unlabelled videos are mixed among themselves: with labelled ones they would share their labels."""
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
