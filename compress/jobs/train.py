"""`compress train`: a trained run of the workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.artifacts.lock import exclusive
from compress.artifacts.ownership import refuse_link
from compress.datasets.policy import OnCorrupt
from compress.datasets.schema import NUM_CLASSES_HINT
from compress.datasets.source import Source
from compress.datasets.table import Table, load_table
from compress.errors import SchemaError, UsageError
from compress.jobs.classes import workspace_vocabulary
from compress.jobs.names import checked, find_run, run_name
from compress.jobs.settings import recipe_changes
from compress.jobs.sources import open_split, tell_skipped
from compress.machine import choose_device
from compress.progress import Note, Reporter, silent
from compress.workspace import Workspace

if TYPE_CHECKING:
    from compress.training.config import TrainConfig
    from compress.training.distillation import Distillation
    from compress.training.teachers import Teachers


@dataclass(frozen=True)
class Trained:
    """A finished run: its folder, and its figures on the validation videos; see `TrainResult`."""

    name: str
    run: Path
    best_epoch: int
    figures: Mapping[str, float]
    seconds: float
    converged: bool | None


def train_run(
    workspace: Workspace,
    *,
    dim: int | None = None,
    encoder: str | None = None,
    preset: str = "best",
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    nested: Sequence[int] | None = None,
    quantize: str | None = None,
    teachers: Sequence[str] = (),
    distill_weight: float | None = None,
    temperature: float | None = None,
    settings: Sequence[str] = (),
    name: str | None = None,
    train: Sequence[str] = (),
    validate: Sequence[str] = (),
    unlabelled: Sequence[str] = (),
    num_classes: int | None = None,
    fresh: bool = False,
    compile: bool = False,
    on_corrupt: OnCorrupt = "fail",
    seed: int = 0,
    threads: int = 0,
    device: str = "auto",
    report: Reporter = silent,
) -> Trained:
    """Train one run, or continue one that was stopped. None leaves a setting to the preset.

    Args:
        workspace: where the run goes; its shards are used unless `train` and `validate` name others.
        dim: embedding size.
        encoder: a registered encoder, or "pca", "random_projection", "identity"; None: Table 4's for `dim`.
        preset: "best" or "paper".
        epochs, batch_size, learning_rate: override the preset.
        nested: sizes of prefixes that are trained too. quantize: the codec to expect (see `TrainConfig`).
        teachers: finished runs to learn from. distill_weight, temperature: see `TrainConfig`.
        settings: "KEY=VALUE" of the recipe or of the encoder; VALUE is JSON, otherwise text.
        name: of the run; None: `<encoder>-<dim>`.
        train, validate: patterns of shards. Closed-form encoders need no validation shards.
        unlabelled: patterns of shards whose videos learn from the teachers alone.
        num_classes: C, overrides the workspace's.
        fresh: delete an earlier run of this name first.
        compile: compile the training step (see `compress.training.train`).
        on_corrupt: what happens to unusable records.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        report: gets progress and notes.

    Raises:
        UsageError: neither dim nor encoder, no shards, or a setting that does not exist.
        NotFoundError: no such shards, or no such teacher.
        SchemaError: train and validate, encoder and data, or teacher and student, do not fit.
        LockedError: another process trains this run right now.
    """
    if encoder is None and dim is None:
        raise UsageError("no encoder selected", hint="give --dim 320, or --encoder NAME")
    if name is not None:
        checked(name)
    named = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "nested_dims": nested,
        "quantize": quantize,
        "teachers": tuple(teachers) or None,
        "distill_weight": distill_weight,
        "temperature": temperature,
    }
    changes = recipe_changes(settings, seed, named)
    if dim is not None and changes.get("dim", dim) != dim:
        what = f"--dim says {dim}, --set dim says {changes['dim']}"
        raise UsageError(what, hint="leave one of the two out")
    if "unlabelled_ratio" in changes and not unlabelled:
        what = "unlabelled_ratio needs unlabelled videos, and there are none"
        raise UsageError(what, where="--set", hint="name their shards with --unlabelled")
    workspace = replace(workspace, num_classes=num_classes or workspace.num_classes)
    closed_form, level = _is_closed_form(encoder, changes), _level(workspace, encoder, dim)
    training = _open_training(workspace, train, on_corrupt, level, closed_form)
    sources = [training]
    if not closed_form:
        schema = training.schema
        sources.append(
            open_split(
                workspace, "validate", validate, on_corrupt, schema=schema, require_labels=True, level=level
            )
        )

    # Imported late: torch takes seconds, and a wrong name or pattern should be answered at once.
    from compress.training import train as fit
    from compress.training.checks import check, check_compile, check_distillation, check_shards
    from compress.training.recipes import default_encoder, train_config

    encoder = encoder or default_encoder(dim)
    name = run_name(encoder, dim, name)
    config = train_config(encoder, dim, preset, changes)
    device = choose_device(device)
    if compile:
        check_compile(config)
    check_shards(config, training.schema, sources[-1].schema)
    extra = _open_unlabelled(workspace, config, unlabelled, on_corrupt, training)
    loaded_teachers = _load_teachers(workspace, config, name, device)
    table, *held_out = (load_table(source, cache=workspace.cache, report=report) for source in sources)
    table = _with_class_names(table, workspace)
    distillation = _distillation(workspace, loaded_teachers, extra, unlabelled, report)
    tell_skipped(sources if extra is None else [*sources, extra], report)
    config = train_config(encoder, dim, preset, changes, len(table))
    run = workspace.run(name)
    # A closed-form encoder is not measured, so its training videos may stand in for those to measure on.
    validation = held_out[0] if held_out else table
    check(config, table, validation, device)
    check_distillation(config, distillation, table, validation)
    if fresh and run.exists():  # only once nothing can refuse the new run any more
        delete_run(run, report)
    done = fit(
        config,
        table,
        validation,
        run,
        device=device,
        threads=threads,
        report=report,
        compile=compile,
        distillation=distillation,
    )
    return Trained(name, done.run, done.best_epoch, done.figures, done.seconds, done.converged)


def _open_training(
    workspace: Workspace, patterns: Sequence[str], on_corrupt: OnCorrupt, level: str, closed_form: bool
) -> Source:
    """The training videos; a closed form needs neither labels nor their number of classes."""
    labelled = not closed_form
    try:
        return open_split(workspace, "train", patterns, on_corrupt, require_labels=labelled, level=level)
    except SchemaError as error:
        if labelled or error.hint != NUM_CLASSES_HINT:
            raise
        return open_split(replace(workspace, num_classes=1), "train", patterns, on_corrupt, level=level)


def _with_class_names(table: Table, workspace: Workspace) -> Table:
    """The table with the names of its numbered classes in the vocabulary, which the run then keeps."""
    schema = table.schema
    known = None if schema.class_names else workspace_vocabulary(workspace)
    if known is None:
        return table
    names = known.to_list(schema.num_classes)
    return replace(table, schema=replace(schema, class_names=names if any(names) else ()))


def delete_run(run: Path, report: Reporter) -> None:
    """Empty the folder of a run of what a training wrote; LockedError while another process trains there."""
    from compress.training.run import remove_run

    refuse_link(run)
    with exclusive(run / "train"):
        report(Note(f"deleting the earlier run {run}"))
        remove_run(run)


def _is_closed_form(encoder: str | None, changes: Mapping[str, Any]) -> bool:
    """Whether the encoder is computed from the features alone, so that there is nothing to validate."""
    if encoder is None or changes.get("head") is not None:
        return False
    from compress.training.recipes import CLOSED_FORM

    return encoder in CLOSED_FORM


def _level(workspace: Workspace, encoder: str | None, dim: int | None) -> str:
    """Which of the workspace's shards the encoder reads; "video" if there is no choice."""
    if not workspace.train_frames:
        return "video"
    from compress.training.recipes import CLOSED_FORM, default_encoder, train_config
    from encoders import encoder_level

    chosen = train_config(encoder or default_encoder(dim), dim).encoder
    return encoder_level(CLOSED_FORM.get(chosen, chosen))


def _open_unlabelled(
    workspace: Workspace,
    config: TrainConfig,
    patterns: Sequence[str],
    on_corrupt: OnCorrupt,
    training: Source,
) -> Source | None:
    """The shards whose videos learn from teachers alone; None where none are named."""
    if not patterns:
        return None
    if not config.teachers:
        what = "unlabelled videos have nothing to learn from but a teacher"
        raise UsageError(what, where="--unlabelled", hint="name one with --teacher")
    return open_split(workspace, "unlabelled", patterns, on_corrupt, schema=training.schema)


def _load_teachers(workspace: Workspace, config: TrainConfig, student: str, device: str) -> Teachers | None:
    """The runs that the recipe names, on the device; None where it names none."""
    if not config.teachers:
        return None
    if student in config.teachers:
        hint = "give the student another --name"
        raise UsageError(f"the run {student!r} cannot teach itself", where="--teacher", hint=hint)
    from compress.training.teachers import load_teachers

    names = [find_run(workspace, None, name) for name in config.teachers]
    return load_teachers([workspace.run(name) for name in names], device)


def _distillation(
    workspace: Workspace,
    teachers: Teachers | None,
    unlabelled: Source | None,
    patterns: Sequence[str],
    report: Reporter,
) -> Distillation | None:
    """What a training gets besides its labelled videos; None without teachers."""
    if teachers is None:
        return None
    from compress.training.distillation import Distillation

    table = None if unlabelled is None else load_table(unlabelled, cache=workspace.cache, report=report)
    return Distillation(teachers, table, workspace.cache, tuple(patterns))
