"""`compress train`: from a request to a trained run of the workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from compress.datasets.policy import OnCorrupt
from compress.datasets.table import load_table
from compress.errors import UsageError
from compress.jobs.distillation import distillation_of, find_teachers, open_unlabelled
from compress.jobs.names import checked, run_name
from compress.jobs.sources import open_split, tell_skipped
from compress.jobs.throw_away import throw_away
from compress.machine import choose_device
from compress.progress import Reporter
from compress.workspace import Workspace


@dataclass(frozen=True)
class TrainRequest:
    """What to train. None: not said, so the preset or the workspace decides.

    Args:
        dim: numbers a video.
        encoder: a registered encoder, or "pca", "random_projection", "identity".
        preset: "best" or "paper".
        epochs, batch_size, learning_rate: in place of the preset's.
        settings: further "key=value" of the recipe or of the encoder; values are JSON, or else text.
        name: of the run.
        train, validate: patterns, in place of the workspace's; encoders that are computed validate nothing.
        num_classes: C, in place of the workspace's.
        fresh: throw an unfinished or finished run of this name away first.
        on_corrupt: what happens to unusable records.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        compile: compute the loss by torch.compile, see `compress.training.train`.
        nested: sizes of prefixes that are trained too; quantize: the codec to expect (see `TrainConfig`).
        teachers: finished runs to learn from; distill_weight, temperature: of `TrainConfig`.
        unlabelled: patterns of shards whose videos learn from the teachers alone.
    """

    dim: int | None
    encoder: str | None
    preset: str
    epochs: int | None
    batch_size: int | None
    learning_rate: float | None
    settings: tuple[str, ...]
    name: str | None
    train: tuple[str, ...]
    validate: tuple[str, ...]
    num_classes: int | None
    fresh: bool
    on_corrupt: OnCorrupt
    seed: int
    threads: int
    device: str
    compile: bool = False
    nested: tuple[int, ...] | None = None
    quantize: str | None = None
    teachers: tuple[str, ...] = ()
    distill_weight: float | None = None
    temperature: float | None = None
    unlabelled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trained:
    """A finished run: its folder, and the best epoch's figures on the validation videos."""

    name: str
    run: Path
    best_epoch: int
    figures: Mapping[str, float]
    seconds: float


def train_run(workspace: Workspace, request: TrainRequest, report: Reporter) -> Trained:
    """Train, or go on with, one run.

    Raises:
        UsageError: neither dim nor encoder, no shards, or a setting that does not exist.
        NotFoundError: no such shards, or no such teacher.
        SchemaError: train and validate, encoder and data, or teacher and student, do not fit.
        LockedError: somebody else trains this run right now.
    """
    if request.encoder is None and request.dim is None:
        raise UsageError("nothing says what to train", hint="give --dim 320, or --encoder NAME")
    if request.name is not None:
        checked(request.name)
    changes = overrides(request)
    workspace = replace(workspace, num_classes=request.num_classes or workspace.num_classes)
    computed, level = _is_computed(request, changes), _level(workspace, request)
    training = open_split(
        workspace, "train", request.train, request.on_corrupt, require_labels=not computed, level=level
    )
    sources = [training]
    if not computed:
        sources.append(
            open_split(
                workspace,
                "validate",
                request.validate,
                request.on_corrupt,
                schema=training.schema,
                require_labels=True,
                level=level,
            )
        )

    # Not before: it imports torch, and a wrong name or pattern should be answered at once.
    from compress.training import train
    from compress.training.admission import check, check_distillation, check_shards
    from compress.training.loss_function import check_compile
    from compress.training.recipes import default_encoder, train_config

    encoder = request.encoder or default_encoder(request.dim)
    name = run_name(encoder, request.dim, request.name)
    config = train_config(encoder, request.dim, request.preset, changes)
    device = choose_device(request.device)
    if request.compile:
        check_compile(config)
    check_shards(config, training.schema, sources[-1].schema)
    unlabelled = open_unlabelled(workspace, config, request.unlabelled, request.on_corrupt, training.schema)
    teachers = find_teachers(workspace, config, name, device)
    table, *held_out = (load_table(source, cache=workspace.cache, report=report) for source in sources)
    distillation = distillation_of(workspace, teachers, unlabelled, request.unlabelled, report)
    tell_skipped(sources if unlabelled is None else [*sources, unlabelled], report)
    run = workspace.run(name)
    # What is computed is not measured, so that its own videos may stand in for those to measure on.
    validation = held_out[0] if held_out else table
    check(config, table, validation, device)
    check_distillation(config, distillation, table, validation)
    if request.fresh and run.exists():  # not before everything that can refuse the new one has had its say
        throw_away(run, report)
    done = train(
        config,
        table,
        validation,
        run,
        device=device,
        threads=request.threads,
        report=report,
        compile=request.compile,
        distillation=distillation,
    )
    return Trained(name, done.run, done.best_epoch, done.figures, done.seconds)


def _is_computed(request: TrainRequest, changes: Mapping[str, Any]) -> bool:
    """Whether the encoder is computed from the features alone, so that there is nothing to validate."""
    if request.encoder is None or changes.get("head") is not None:
        return False
    from compress.training.recipes import CLOSED_FORM

    return request.encoder in CLOSED_FORM


def _level(workspace: Workspace, request: TrainRequest) -> str:
    """Which of the workspace's shards the encoder reads; "video" where there is nothing to choose."""
    if not workspace.train_frames:
        return "video"
    from compress.training.recipes import CLOSED_FORM, default_encoder, train_config
    from encoders import encoder_level

    encoder = train_config(request.encoder or default_encoder(request.dim), request.dim).encoder
    return encoder_level(CLOSED_FORM.get(encoder, encoder))


def overrides(request: TrainRequest) -> dict[str, Any]:
    """Everything that replaces a value of the preset; the named options go before --set.

    Raises:
        UsageError: a setting without "=", or one about videos without labels where there are none.
    """
    chosen: dict[str, Any] = {"seed": request.seed}
    for setting in request.settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise UsageError(
                f"not KEY=VALUE: {setting!r}", where="--set", hint="for example --set dropout=0.2"
            )
        chosen[key.strip()] = _value(text.strip())
    if request.nested is not None:
        chosen["nested_dims"] = request.nested
    if request.teachers:
        chosen["teachers"] = request.teachers
    for key in ("epochs", "batch_size", "learning_rate", "quantize", "distill_weight", "temperature"):
        if (value := getattr(request, key)) is not None:
            chosen[key] = value
    if "unlabelled_ratio" in chosen and not request.unlabelled:
        what = "unlabelled_ratio is about videos without labels, and there are none"
        raise UsageError(what, where="--set", hint="name their shards with --unlabelled")
    return chosen


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        # Not JSON, so it is a word such as `max`, which needs no quotes on a command line.
        return text
