"""`compress evaluate --run`: from a request to the figures of one run or of an ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from compress.errors import NotFoundError, SchemaError, UsageError
from compress.jobs.evaluation_requests import EvaluateModelsRequest
from compress.jobs.names import checked, find_run
from compress.machine import choose_device
from compress.progress import Note, Reporter
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.evaluation.models import Member, TrainingVideos, Views
    from compress.jobs.data_tables import Tables

_LONGEST = 200  # characters of a name: a file's may have 255 bytes, with what is put behind it


def evaluate_runs(
    workspace: Workspace,
    request: EvaluateModelsRequest,
    report: Reporter,
    tables: Tables | None = None,
) -> dict[str, Any]:
    """Score the validation videos and write evaluation/models/<name>.json; returns its content.

    What is there already, of the same weights and videos, is returned without work.

    Args:
        workspace: where everything lies.
        request: what to measure.
        report: gets progress and notes.
        tables: shared by a series of evaluations with the same `validate`; None for one alone.

    Raises:
        UsageError: a name that cannot be, a run without a head, or no shards to measure on.
        NotFoundError: no such run, not finished, or the baseline was not measured.
        SchemaError: runs, videos or baseline do not fit together; says what differs.
    """
    name = models_name(workspace, request)
    for run in request.runs:
        find_run(workspace, None, run)

    # Not before: it imports torch, and a wrong name should be answered at once.
    from compress.artifacts.atomic import read_json
    from compress.evaluation.models import (
        evaluate_models,
        load_members,
        model_is_current,
        pair_views,
        precisions_of,
    )
    from compress.evaluation.models.kept import row_path
    from compress.evaluation.shard_names import in_words
    from compress.jobs.commands import models_command
    from compress.jobs.data_tables import Tables

    members = load_members(workspace, request.runs)
    tables = tables or Tables(workspace, request.validate, request.on_corrupt, report)
    videos = pair_views({member.level: tables.table("validate", member.schema) for member in members})
    against, seed, device = request.baseline, request.seed, choose_device(request.device)
    used = precisions_of(members, request.precision, device)
    if not request.again and model_is_current(
        workspace, name, members, videos, used, baseline=against, full_map=request.full_map, seed=seed
    ):
        report(Note(f"{name} is evaluated already"))
        row: dict[str, Any] = read_json(row_path(workspace, name))
        return row
    trained_on = _trained_on(workspace, members, videos, tables, report)
    splits = ("train", "validate") if trained_on else ("validate",)
    patterns = [p for split in splits for level in videos.tables for p in tables.patterns(split, level)]
    return evaluate_models(
        workspace,
        name,
        members,
        videos,
        trained_on=trained_on,
        baseline=against,
        precision=request.precision,
        full_map=request.full_map,
        seed=seed,
        threads=request.threads,
        device=device,
        source=in_words(patterns),
        command=models_command(workspace, request),
        report=report,
    )


def models_name(workspace: Workspace, request: EvaluateModelsRequest) -> str:
    """What the evaluation is called: a run like itself, an ensemble as said or like all its runs.

    Raises:
        UsageError: a name for a single run, one that cannot be a file's, or one that a run or a row
            of the papers' tables has.
    """
    for run in request.runs:
        checked(run)
    if len(request.runs) == 1:
        if request.name not in (None, request.runs[0]):
            raise UsageError(
                "the evaluation of one run is called like the run",
                where=f"--name {request.name}",
                hint="leave --name out, or give several --run",
            )
        return request.runs[0]
    if request.name is None:
        joined = "+".join(request.runs)
        if len(joined) > _LONGEST:
            raise UsageError("the names of all runs are too long for one", hint="give --name")
        return joined
    if workspace.run(checked(request.name)).is_dir():
        raise UsageError(
            "is the name of a run", where=f"--name {request.name}", hint="give the ensemble another name"
        )
    from compress.reports import catalogue  # not before: it imports numpy

    if any(row.run == request.name for row in catalogue().rows):
        raise UsageError(
            "is the name of a row of the papers' tables, which is one run",
            where=f"--name {request.name}",
            hint="give the ensemble another name",
        )
    return request.name


def _trained_on(
    workspace: Workspace, members: Sequence[Member], videos: Views, tables: Tables, report: Reporter
) -> TrainingVideos | None:
    """The training videos of the runs; None, and a note, where the workspace's shards are not theirs."""
    from compress.evaluation.models import common, training_videos

    found: list[TrainingVideos | None] = []
    for member in members:
        try:
            table = tables.table("train", member.schema)
        except (NotFoundError, SchemaError, UsageError):
            found.append(None)  # nothing but the frequency of classes needs these shards
        else:
            found.append(training_videos(table, member, videos))
    known = common(found)
    if known is None:
        report(Note("the runs' training videos are not in this workspace: class frequencies are not kept"))
    return known
