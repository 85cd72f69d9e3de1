"""The training loop, from top to bottom."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from compress.artifacts.folder import read_folder
from compress.artifacts.lock import exclusive
from compress.datasets.batches import batches_per_epoch
from compress.errors import DivergedError, Interrupted, RecordError
from compress.progress import Note, Progress, Reporter, check_interrupt, interrupt_requested, silent
from compress.training.checks import check, check_compile, check_distillation
from compress.training.closed_form import fit_closed_form
from compress.training.config import TrainConfig
from compress.training.cost import Stopwatch, describe
from compress.training.distillation import Distillation, Lesson, lessons
from compress.training.feed import batches
from compress.training.identity import claim, identity_of, taught_by
from compress.training.inputs import Table, training_order
from compress.training.new_model import new_model
from compress.training.objective import compiled, criterion_of, loss_function, targets_of
from compress.training.optimizer import (
    WeightAverage,
    branch_factor,
    build_optimizer,
    main_factor,
    set_learning_rates,
)
from compress.training.precision import device_settings
from compress.training.run import (
    WEIGHTS,
    Run,
    append_log,
    model_facts,
    model_manifest,
    read_tensors,
    save_model,
    truncate_log,
)
from compress.training.scoring import figures_by_dim, figures_json
from compress.training.state import CALMER, PendingLosses, Progressed, Refinement, TrainState, step
from encoders import keep_freed_memory

CHECKPOINT_SECONDS = 60.0  # the work that a killed training loses at most


@dataclass(frozen=True)
class TrainResult:
    """The run's folder, the epoch that was kept (from 1; 0 for a closed-form encoder), its figures."""

    run: Path
    best_epoch: int
    figures: Mapping[str, float]
    seconds: float


def train(
    config: TrainConfig,
    table: Table,
    validation: Table,
    run: str | Path,
    *,
    device: str = "cpu",
    threads: int = 0,
    report: Reporter = silent,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    compile: bool = False,
    distillation: Distillation | None = None,
    refinement: Refinement | None = None,
) -> TrainResult:
    """Train one run, or continue it.

    Args:
        config: the recipe.
        table, validation: videos to learn from and to measure GAP on, of one schema.
        run: the folder; a training that was stopped there is continued, a finished one returned.
        device: "cpu" or "cuda".
        threads: CPU threads of torch; 0 leaves them as they are.
        report: gets progress, the estimate, and the figures of each epoch.
        checkpoint_seconds: time between checkpoints; a killed training loses at most that.
        compile: compute the loss by torch.compile. It changes the last bits, so it is noted in config.json;
            a run may still be continued with or without it.
        distillation: the teachers that the recipe names, and unlabelled videos; None without teachers.
        refinement: the model to start from, and what is done to it; None starts with random weights.

    Raises:
        UnavailableError: no GPU, or no compiler, but one is asked for.
        UsageError: the folder holds a training of another recipe or other data.
        SchemaError: encoder and data, or the two tables, do not fit.
        DivergedError: the loss is no longer finite.
        Interrupted: on request, after a checkpoint.
    """
    run = Path(run)
    check(config, table, validation, device)
    check_distillation(config, distillation, table, validation)
    if compile:
        check_compile(config)
    if threads:
        torch.set_num_threads(threads)
    keep_freed_memory()
    started, folder = time.monotonic(), Run(run)
    with exclusive(run / "train"):
        identity = identity_of(config, table, validation, device, compile=compile, distillation=distillation)
        identity |= {} if refinement is None else {"refines": refinement.facts}
        claim(folder, identity)
        if folder.finished:
            report(Note(f"{run} is already trained"))
        elif config.head is None:
            fit_closed_form(config, table, folder)
        else:
            training = _Training(
                config, table, validation, folder, identity, device, report, distillation, refinement
            )
            # Batches of features all have one shape but the last; every batch of frames has another.
            same_shapes = table.schema.level == "video"
            with device_settings(device, config.precision, same_shapes=same_shapes):
                _fit(training, checkpoint_seconds, compile)
        # Also for a finished run: it may have been killed between its last commit and this line.
        for scaffold in (folder.best, folder.checkpoint):
            shutil.rmtree(scaffold, ignore_errors=True)
    facts = model_manifest(run).metadata
    return TrainResult(run, facts["epoch"], facts["figures"], time.monotonic() - started)


@dataclass(frozen=True)
class _Training:
    """The arguments of `train`, and the identity of the run."""

    config: TrainConfig
    table: Table
    validation: Table
    run: Run
    identity: dict[str, Any]
    device: str
    report: Reporter
    distillation: Distillation | None
    refinement: Refinement | None


def _fit(training: _Training, checkpoint_seconds: float, compile: bool) -> None:
    config, table, device, report = training.config, training.table, training.device, training.report
    run, refinement = training.run, training.refinement

    # -- a new model, or the last checkpoint -----------------------------------------------------------
    # For weights and dropout; the order of the videos and mixup follow from the seed and the step alone.
    torch.manual_seed(config.seed)
    model = (new_model(config, table) if refinement is None else refinement.model()).to(device)
    state = TrainState(model, WeightAverage(model, config.ema), build_optimizer(model, config))
    if state.restore(run, training.identity):
        report(Note(f"continuing at epoch {state.at.epoch + 1}, batch {state.at.batch + 1}"))
    truncate_log(run.log, state.at.measured)  # the epochs after the checkpoint are trained again
    if refinement is not None:
        refinement.begin(state)
    steps = batches_per_epoch(len(table), config.batch_size)
    report(Note(describe(config, model, len(table), steps)))
    if state.at.measured < state.at.epoch:  # stopped while an epoch was measured
        _finish_epoch(training, state)

    # -- what each step needs --------------------------------------------------------------------------
    loss_of = loss_function(config, model, device, criterion_of(config, table, device))
    if compile:
        loss_of = compiled(loss_of, device)
    targets_for, losses = targets_of(config, table, device), PendingLosses(device)
    warm_steps = config.warm_epochs * steps
    clocks = (
        Stopwatch(warm_steps, report, "the warm-up", config.batch_size),
        Stopwatch(config.epochs * steps, report, "the rest", config.batch_size),
    )
    saved, counted = time.monotonic(), time.process_time()
    order = training_order(table, config.batch_size, config.seed, state.at.position)
    with ExitStack() as stack:
        feed = stack.enter_context(closing(batches(table, order, torch.device(device), report)))
        taught: Generator[Lesson] | None = None
        if training.distillation is not None:
            start = state.at.step, state.at.position
            every = lessons(training.distillation, config, table, *start, device, report)
            taught = stack.enter_context(closing(every))

        while state.at.epoch < config.epochs and not _patience_lost(config, state.at):
            batch = next(feed)
            at = state.at

            # -- one step ------------------------------------------------------------------------------
            model.train()  # measuring an epoch leaves it in evaluation mode
            if config.warm_epochs:
                model.encoder.set_warm(at.epoch < config.warm_epochs)
            factors = {
                "main": main_factor(config, at.step, steps),
                "branch": branch_factor(config, at.step, steps),
            }
            set_learning_rates(state.optimizer, factors)
            inputs, targets = targets_for(at.step, batch.inputs, batch.labels)
            loss = step(config, state, inputs, targets, loss_of, None if taught is None else next(taught))
            at.step, at.epoch, at.batch = at.step + 1, batch.after.epoch, batch.after.batch
            losses.add(at, loss, batch.videos)
            state.average.update(model, at.step)
            if refinement is not None:
                refinement.after_step(state, config.epochs * steps)
            now = time.process_time()
            at.cpu_seconds, counted = at.cpu_seconds + now - counted, now

            # -- report progress -----------------------------------------------------------------------
            clocks[at.step >= warm_steps].tick(at.step)
            done = (at.step - 1) % steps + 1
            figures = {
                **({"loss": at.loss_sum / at.videos} if at.videos else {}),
                **({"gap": at.best_gap} if at.best_epoch else {}),
            }
            stage = f"epoch {(at.step - 1) // steps + 1}/{config.epochs}"
            report(Progress(stage, min(done * config.batch_size, len(table)), len(table), "videos", figures))

            # -- once per epoch: measure, log, keep the best -------------------------------------------
            if at.batch == 0:
                losses.settle(at)
                _finish_epoch(training, state)
                counted = time.process_time()  # the time of measuring is not that of training

            # -- now and then: a checkpoint ------------------------------------------------------------
            if interrupt_requested() or time.monotonic() - saved >= checkpoint_seconds:
                losses.settle(at)
                state.save(run, training.identity)
                saved = time.monotonic()
                check_interrupt()

    # -- the best epoch is the model -------------------------------------------------------------------
    best = read_folder(run.best, "model")
    save_model(run.model, read_tensors(best.path(WEIGHTS)), best.metadata)


def _finish_epoch(training: _Training, state: TrainState) -> None:
    """Measure the running average, log it, and keep it where it is the best so far."""
    config, run, at = training.config, training.run, state.at
    try:
        with state.averaged():
            by_dim = figures_by_dim(state.model, training.validation, config.precision)
    except Interrupted:
        state.save(run, training.identity)  # the epoch is done; a continued training measures it again
        raise
    except RecordError as error:  # the tables hold no NaN, so the weights do
        raise DivergedError(f"the scores are not finite after epoch {at.epoch}", hint=CALMER) from error

    figures, prefixes = by_dim[state.model.dim], sorted(by_dim)[:-1]
    found, loss = figures_json(by_dim), at.loss_sum / at.videos
    seconds = round(at.cpu_seconds, 1)  # of training alone, on all cores together
    line = {"epoch": at.epoch, "loss": loss, "cpu_seconds": seconds, **found["figures"]}
    append_log(run.log, line | ({"by_dim": found["figures_by_dim"]} if prefixes else {}))
    note = f"epoch {at.epoch}: loss {loss:.3f}, GAP {figures.gap:.4f}, MAP {figures.map:.4f}"
    for dim in prefixes:
        note += f"; first {dim} dimensions: GAP {by_dim[dim].gap:.4f}, MAP {by_dim[dim].map:.4f}"
    training.report(Note(note))

    # The mean over all embedding sizes: no size is chosen at the cost of the others.
    gap = fmean(each.gap for each in by_dim.values())
    if config.keep == "last" or gap > at.best_gap:
        at.best_gap, at.best_epoch = gap, at.epoch
        facts = model_facts(state.model, config, training.table, at.epoch)
        facts |= {**found, **taught_by(training.distillation)}
        save_model(run.best, state.average.weights, facts)
    at.measured, at.loss_sum, at.videos, at.cpu_seconds = at.epoch, 0.0, 0, 0.0


def _patience_lost(config: TrainConfig, at: Progressed) -> bool:
    # While the branch is off, epochs do not get better for long: patience starts after them.
    waited = at.epoch - max(at.best_epoch, config.warm_epochs)
    return bool(config.patience) and config.keep == "best" and waited >= config.patience
