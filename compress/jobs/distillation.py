"""The teachers and the videos without labels that a `compress train` names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from compress.datasets.source import Source
from compress.datasets.table import load_table
from compress.errors import UsageError
from compress.jobs.names import find_run
from compress.jobs.sources import open_split
from compress.progress import Reporter
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.datasets.policy import OnCorrupt
    from compress.datasets.schema import FeatureSchema
    from compress.training.config import TrainConfig
    from compress.training.distillation import Distillation, Teachers


def open_unlabelled(
    workspace: Workspace,
    config: TrainConfig,
    patterns: Sequence[str],
    on_corrupt: OnCorrupt,
    schema: FeatureSchema,
) -> Source | None:
    """The shards whose videos learn from teachers alone; None where none are named.

    Raises:
        UsageError: there are no teachers.
        NotFoundError, SchemaError: no such shards, or they hold other videos than the training shards.
    """
    if not patterns:
        return None
    if not config.teachers:
        what = "videos without labels have nothing to learn from but a teacher"
        raise UsageError(what, where="--unlabelled", hint="name one with --teacher")
    return open_split(workspace, "unlabelled", patterns, on_corrupt, schema=schema)


def find_teachers(workspace: Workspace, config: TrainConfig, run: str, device: str) -> Teachers | None:
    """The runs that the recipe names, on the device; None where it names none.

    Args:
        run: name of the student.

    Raises:
        UsageError: the student itself is named, or a run without a head.
        NotFoundError: a run that is not there or has not finished.
        CorruptArtifactError: a checksum does not match.
    """
    if not config.teachers:
        return None
    if run in config.teachers:
        hint = "give the student another --name"
        raise UsageError(f"the run {run!r} cannot teach itself", where="--teacher", hint=hint)
    from compress.training.distillation import load_teachers

    names = [find_run(workspace, None, name) for name in config.teachers]
    return load_teachers([workspace.run(name) for name in names], device)


def distillation_of(
    workspace: Workspace,
    teachers: Teachers | None,
    unlabelled: Source | None,
    patterns: Sequence[str],
    report: Reporter,
) -> Distillation | None:
    """What a training gets besides its labelled videos; None without teachers.

    Args:
        teachers: as `find_teachers` found them.
        unlabelled: as `open_unlabelled` opened it, by the `patterns`.
    """
    if teachers is None:
        return None
    from compress.training.distillation import Distillation

    table = None if unlabelled is None else load_table(unlabelled, cache=workspace.cache, report=report)
    return Distillation(teachers, table, workspace.cache, tuple(patterns))
