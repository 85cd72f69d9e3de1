"""What `train` gets besides labelled videos: teachers, videos without labels, and where scores are kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.datasets.schema import FeatureSchema
from compress.errors import SchemaError, UsageError
from compress.machine import memory_bytes
from compress.progress import Note, Reporter
from compress.training.config import TrainConfig
from compress.training.distillation.kept_scores import bytes_of, kept_scores
from compress.training.distillation.teachers import Teachers, check_teachers
from compress.training.inputs import Table

KEPT_SHARE = 0.25  # of the machine's memory: beyond it, scores read in random order would come from the disk


@dataclass(frozen=True, eq=False)
class Distillation:
    """What a student learns from besides labels.

    Args:
        teachers: on the device of the training.
        unlabelled: videos that learn from the teachers alone, or None; their labels, where they have any,
            are not looked at.
        cache: folder in which the teachers' scores may be kept; None computes them with every batch.
        shards: patterns by which the unlabelled videos were found, for whoever wants to train it again.
    """

    teachers: Teachers
    unlabelled: Table | None = None
    cache: Path | None = None
    shards: tuple[str, ...] = ()

    def check(self, config: TrainConfig, table: Table, validation: Table) -> None:
        """Refuse what does not fit.

        Raises:
            UsageError: the recipe names other teachers, there are no videos among the unlabelled, or scores
                are to be kept that cannot be.
            SchemaError: teachers or unlabelled videos are not of the training's kind, or a video to measure
                on is among the unlabelled.
        """
        if config.teachers != self.teachers.names:
            raise UsageError(
                f"the recipe names the teachers {config.teachers}, not {self.teachers.names}",
                where="--teacher",
            )
        check_teachers(self.teachers, table.schema)
        if config.teacher_scores == "kept":
            self._check_keeping(config)
        if self.unlabelled is None:
            return
        if not len(self.unlabelled):
            raise UsageError("there are no videos", where="--unlabelled")
        if _shape(self.unlabelled.schema) != _shape(table.schema):
            raise SchemaError(
                f"videos without labels are {_shape(self.unlabelled.schema)}, "
                f"training videos {_shape(table.schema)}",
                where="--unlabelled",
            )
        both = np.intersect1d(self.unlabelled.ids, validation.ids)
        if len(both):
            raise SchemaError(
                f"video {both[0].decode('utf-8', 'backslashreplace')!r} and {len(both) - 1} more are among "
                "the videos to measure on",
                where="--unlabelled",
                hint="measure on videos that were not trained on",
            )

    def scores(
        self, config: TrainConfig, tables: list[Table], device: str, report: Reporter
    ) -> list[np.ndarray | None]:
        """Kept scores of each table, float16 (N, C); None for all where they are computed with every batch.

        By the recipe's `teacher_scores`; "auto" keeps them where the same inputs come again (no mixup), the
        device is a CPU, and they are at most KEPT_SHARE of its memory: a number of the machine, not of what
        is free now, so that a training that goes on there goes on in the same way.

        Raises:
            StorageError: the disk refuses them.
        """
        classes = tables[0].labels.num_classes
        size, memory = sum(bytes_of(len(table), classes) for table in tables), memory_bytes()
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

    def _check_keeping(self, config: TrainConfig) -> None:
        """UsageError where inputs are mixed anew each time, or there is no folder."""
        if config.mixup:
            what = "mixed videos are others each time, so their scores cannot be kept"
            raise UsageError(what, where="--set teacher_scores", hint="leave it at auto, or mixup at 0")
        if self.cache is None:
            raise UsageError("there is no folder to keep scores in", where="--set teacher_scores")


def _shape(schema: FeatureSchema) -> str:
    return f"{schema.level}-level with {schema.dim} numbers and {schema.num_classes} classes"
