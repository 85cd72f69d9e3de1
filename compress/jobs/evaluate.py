"""`compress evaluate`: how good stored embeddings are for a fresh head, and trained runs with their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.command_line import command_argv, command_line, unless
from compress.datasets.policy import OnCorrupt
from compress.errors import NotFoundError, SchemaError, UsageError
from compress.jobs.names import checked, find_run, find_store_inside
from compress.machine import choose_device
from compress.progress import Note, Reporter, silent
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.evaluation.models.members import Member
    from compress.evaluation.models.videos import TrainingVideos, Views
    from compress.jobs.sources import LabelledVideos
    from compress.training.precision import Wanted

_LONGEST = 200  # characters of a name; a file name may have 255 bytes, suffixes included


def evaluate_store(
    workspace: Workspace,
    *,
    dim: int | None = None,
    name: str | None = None,
    baseline: str = "original",
    heads: Sequence[str] = (),
    seeds: int | None = None,
    head_epochs: int | None = None,
    head_mixup: float | None = None,
    retrieval: bool = True,
    full_map: bool = False,
    seed: int = 0,
    threads: int = 0,
    device: str = "auto",
    notes: Sequence[str] = (),
    folder: Path | None = None,
    report: Reporter = silent,
) -> dict[str, Any]:
    """Ask a panel of fresh heads about a store and write evaluation/<name>.json; returns its content.

    Args:
        workspace: has the store.
        dim, name: which store.
        baseline: name of the store that changes are measured against.
        heads: names of the judges; none for all.
        seeds: heads that each trained judge is the mean of; None chooses by the number of videos.
        head_epochs: the most passes of a trained judge over the data; None for the recipe's.
        head_mixup: alpha of its mixup, 0 for none; None searches it.
        retrieval: also measure the nearest neighbours.
        full_map: also compute MAP over all scores.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        notes: sentences to keep with the row.
        folder: where the row and its scores are kept; None for evaluation/ of the workspace.
        report: gets progress and notes.

    Raises:
        NotFoundError: no such store, or no baseline.
        UsageError: the store lies outside the workspace.
    """
    found = find_store_inside(workspace, dim, name)

    # Imported late: torch takes seconds, and a wrong name should be answered at once.
    from compress.evaluation.measure import evaluate
    from compress.jobs.commands import store_commands

    typed = {
        "name": found,
        "baseline": unless(baseline, "original"),
        "heads": ",".join(heads) or None,
        "seeds": seeds,
        "head_epochs": head_epochs,
        "head_mixup": head_mixup,
        "no_retrieval": not retrieval,
        "full_map": full_map,
        "seed": seed or None,
    }
    row = evaluate(
        workspace,
        found,
        baseline=baseline,
        heads=heads,
        seeds=seeds,
        head_epochs=head_epochs,
        head_mixup=head_mixup,
        retrieval=retrieval,
        full_map=full_map,
        seed=seed,
        threads=threads,
        device=choose_device(device),
        command=command_line(*store_commands(workspace, found), command_argv("evaluate", typed)),
        notes=tuple(notes),
        folder=folder,
        report=report,
    )
    return row.to_json()


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
        report: gets progress and notes.

    Raises:
        UsageError: a name that cannot be, a run without a head, or no shards to measure on.
        NotFoundError: no such run, not finished, or the baseline was not measured.
        SchemaError: runs, videos or baseline do not fit together; says what differs.
    """
    ensemble, name = name, models_name(workspace, runs, name)
    for run in runs:
        find_run(workspace, None, run)

    # Imported late: torch takes seconds, and a wrong name should be answered at once.
    from compress.evaluation.models.current import model_is_current, models_folder
    from compress.evaluation.models.measure import evaluate_models
    from compress.evaluation.models.members import load_members, precisions_of
    from compress.evaluation.models.row import read_model
    from compress.evaluation.models.videos import pair_views
    from compress.evaluation.row import in_words, short
    from compress.evaluation.row_file import complete_row
    from compress.jobs.commands import run_commands
    from compress.jobs.sources import LabelledVideos

    members = load_members(workspace, runs)
    labelled = LabelledVideos(workspace, validate, on_corrupt, report)
    videos = pair_views({member.level: labelled.load("validate", member.schema) for member in members})
    device = choose_device(device)
    used = precisions_of(members, precision, device)
    if not again and model_is_current(
        workspace, name, members, videos, used, baseline=baseline, full_map=full_map, seed=seed
    ):
        report(Note(f"{name} is evaluated already"))
        path = models_folder(workspace) / f"{name}.json"
        complete_row(path)
        return read_model(path).to_json()
    trained_on = _trained_on(workspace, members, videos, labelled, report)
    splits = ("train", "validate") if trained_on else ("validate",)
    patterns = [p for split in splits for level in videos.tables for p in labelled.patterns(split, level)]
    commands = [words for run in runs for words in run_commands(workspace, run)]
    typed = {
        "run": tuple(runs),
        "name": ensemble,
        "validate": [short(pattern) for pattern in validate],
        "baseline": baseline,
        "precision": unless(precision, "auto"),
        "full_map": full_map,
        "seed": seed or None,
    }
    measured = evaluate_models(
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
        command=command_line(*commands, command_argv("evaluate", typed)),
        report=report,
    )
    return measured.to_json()


def models_name(workspace: Workspace, runs: Sequence[str], name: str | None) -> str:
    """The name of the evaluation: of a single run its name, of an ensemble `name` or all names joined.

    Raises:
        UsageError: a name given to a single run, one that cannot be a file's, or one that a run or a row of
            the papers' tables has.
    """
    for run in runs:
        checked(run, "--run")
    if len(runs) == 1:
        if name not in (None, runs[0]):
            raise UsageError(
                "the evaluation of a single run has the name of the run",
                where=f"--name {name}",
                hint="leave --name out, or give several --run",
            )
        return runs[0]
    if name is None:
        joined = "+".join(runs)
        if len(joined) > _LONGEST:
            raise UsageError("the joined names of all runs are too long", hint="give --name")
        return joined
    if workspace.run(checked(name)).is_dir():
        raise UsageError(
            "is the name of a run", where=f"--name {name}", hint="give the ensemble another name"
        )
    from compress.papers import catalogue  # not before: it reads the tables

    if any(row.run == name for row in catalogue().rows):
        raise UsageError(
            "is the name of a row of the papers' tables, which is a single run",
            where=f"--name {name}",
            hint="give the ensemble another name",
        )
    return name


def _trained_on(
    workspace: Workspace, members: Sequence[Member], videos: Views, labelled: LabelledVideos, report: Reporter
) -> TrainingVideos | None:
    """The training videos of the runs; None, and a note, where the workspace's shards are not theirs."""
    from compress.evaluation.models.videos import changed_shards, common, training_videos

    found: list[TrainingVideos | None] = []
    for member in members:
        try:
            table = labelled.load("train", member.schema)
        except (NotFoundError, SchemaError, UsageError):
            found.append(None)  # nothing but the frequency of classes needs these shards
        else:
            found.append(training_videos(table, member, videos))
            for changed in changed_shards(member, table):
                report(Note(f"since {member.name} was trained, {changed}"))
    known = common(found)
    if known is None:
        report(Note("the runs' training videos are not in this workspace: class frequencies are not kept"))
    return known
