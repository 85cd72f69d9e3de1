"""`compress evaluate --run`: the figures of one run, or of several together, with their own heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from compress.datasets.policy import OnCorrupt
from compress.errors import NotFoundError, SchemaError, UsageError
from compress.jobs.names import checked, find_run
from compress.machine import choose_device
from compress.progress import Note, Reporter, silent
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.evaluation.models import Member, TrainingVideos, Views
    from compress.jobs.data_tables import Tables
    from compress.training.precision import Wanted

_LONGEST = 200  # characters of a name: a file's may have 255 bytes, with what is put behind it


def evaluate_runs(
    workspace: Workspace,
    *,
    runs: Sequence[str],
    name: str | None = None,
    baseline: str | None = None,
    validate: Sequence[str] = (),
    again: bool = False,
    precision: Wanted = "auto",
    full_map: bool = False,
    on_corrupt: OnCorrupt = "fail",
    seed: int = 0,
    threads: int = 0,
    device: str = "auto",
    tables: Tables | None = None,
    report: Reporter = silent,
) -> dict[str, Any]:
    """Score the validation videos and write evaluation/models/<name>.json; returns its content.

    What is there already, of the same weights and videos, is returned without work.

    Args:
        workspace: where everything lies.
        runs: names of one or more runs; the probabilities of several are averaged.
        name: of the evaluation of an ensemble; None joins the runs' names. Of one run it is always the run's.
        baseline: name of another evaluation that changes are measured against, or None.
        validate: patterns of shards to measure on; none means the workspace's.
        again: measure also what is up to date.
        precision: "fp32", "bf16", or "auto": each run as it was trained, where the device has that.
        full_map: also compute MAP over all scores.
        on_corrupt: what happens to unusable records.
        seed: of the bootstrap, >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        tables: shared by a series of evaluations with the same `validate`; None for one alone.
        report: gets progress and notes.

    Raises:
        UsageError: a name that cannot be, a run without a head, or no shards to measure on.
        NotFoundError: no such run, not finished, or the baseline was not measured.
        SchemaError: runs, videos or baseline do not fit together; says what differs.
    """
    ensemble, name = name, models_name(workspace, runs, name)
    for run in runs:
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

    members = load_members(workspace, runs)
    tables = tables or Tables(workspace, validate, on_corrupt, report)
    videos = pair_views({member.level: tables.table("validate", member.schema) for member in members})
    device = choose_device(device)
    used = precisions_of(members, precision, device)
    if not again and model_is_current(
        workspace, name, members, videos, used, baseline=baseline, full_map=full_map, seed=seed
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
        baseline=baseline,
        precision=precision,
        full_map=full_map,
        seed=seed,
        threads=threads,
        device=device,
        source=in_words(patterns),
        command=models_command(
            workspace,
            runs,
            name=ensemble,
            validate=validate,
            baseline=baseline,
            precision=precision,
            full_map=full_map,
            seed=seed,
        ),
        report=report,
    )


def models_name(workspace: Workspace, runs: Sequence[str], name: str | None) -> str:
    """What the evaluation is called: a run like itself, an ensemble as said or like all its runs.

    Raises:
        UsageError: a name for a single run, one that cannot be a file's, or one that a run or a row
            of the papers' tables has.
    """
    for run in runs:
        checked(run, "--run")
    if len(runs) == 1:
        if name not in (None, runs[0]):
            raise UsageError(
                "the evaluation of one run is called like the run",
                where=f"--name {name}",
                hint="leave --name out, or give several --run",
            )
        return runs[0]
    if name is None:
        joined = "+".join(runs)
        if len(joined) > _LONGEST:
            raise UsageError("the names of all runs are too long for one", hint="give --name")
        return joined
    if workspace.run(checked(name)).is_dir():
        raise UsageError(
            "is the name of a run", where=f"--name {name}", hint="give the ensemble another name"
        )
    from compress.reports import catalogue  # not before: it imports numpy

    if any(row.run == name for row in catalogue().rows):
        raise UsageError(
            "is the name of a row of the papers' tables, which is one run",
            where=f"--name {name}",
            hint="give the ensemble another name",
        )
    return name


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
