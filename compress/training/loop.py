"""The training loop, from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import torch

from compress.artifacts.folder import remove_folder
from compress.artifacts.lock import exclusive
from compress.errors import UsageError
from compress.machine import use_torch_threads
from compress.progress import Note, Progress, Reporter, check_interrupt, interrupt_requested, silent
from compress.run_config import noted_shards
from compress.training.checks import check, check_compile, check_distillation
from compress.training.closed_form import fit_closed_form
from compress.training.config import TrainConfig
from compress.training.cost import Stopwatch, describe
from compress.training.distillation import Distillation, Lesson, lessons
from compress.training.epochs import (
    Training,
    begin_refit,
    divided,
    finish_epoch,
    finish_training,
    goes_on,
    switch_branch,
    with_branch,
)
from compress.training.feed import batches
from compress.training.identity import claim, identity_of
from compress.training.inputs import Table, take_videos
from compress.training.log import truncate_log
from compress.training.new_model import new_model
from compress.training.objective import LossFunction, compiled, criterion_of, loss_function, targets_of
from compress.training.optimizer import (
    WeightAverage,
    branch_factor,
    build_optimizer,
    main_factor,
    set_learning_rates,
)
from compress.training.precision import device_settings
from compress.training.run import Run, model_manifest
from compress.training.state import PendingLosses, Refinement, TrainState, step
from encoders import keep_freed_memory

CHECKPOINT_SECONDS = 60.0  # the work that a killed training loses at most


@dataclass(frozen=True)
class TrainResult:
    """A finished run.

    Args:
        run: its folder.
        best_epoch: the epochs that its model was trained for; 0 for a closed-form encoder.
        figures: on the validation videos.
        converged: whether it got no better before the limit of epochs; None if that cannot be told.
    """

    run: Path
    best_epoch: int
    figures: Mapping[str, float]
    seconds: float
    converged: bool | None


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
    use_torch_threads(threads)
    keep_freed_memory()
    started, folder = time.monotonic(), Run(run)
    with exclusive(run / "train"):
        identity = identity_of(config, table, validation, device, compile=compile, distillation=distillation)
        identity |= {} if refinement is None else {"refines": refinement.facts}
        claim(folder, identity, shards=noted_shards(train=table.shards, validate=validation.shards))
        if folder.finished and not _goes_on(config, folder):
            report(Note(f"{run} is already trained"))
        elif config.head is None:
            fit_closed_form(config, table, folder, report)
        else:
            rows, aside = divided(config, table)
            training = Training(
                config,
                table,
                rows,
                validation if aside is None else aside,
                validation,
                folder,
                identity,
                device,
                report,
                distillation,
                refinement,
            )
            # Batches of features all have one shape but the last; every batch of frames has another.
            same_shapes = table.schema.level == "video"
            with device_settings(device, config.precision, same_shapes=same_shapes):
                _fit(training, checkpoint_seconds, compile)
        facts = model_manifest(run).metadata
        # Also for a finished run: it may have been killed between its last commit and this line.
        stays = (folder.best, folder.limit) if facts.get("converged") is False else ()
        for scaffold in {folder.best, folder.limit, folder.checkpoint} - set(stays):
            remove_folder(scaffold)
    seconds = time.monotonic() - started
    return TrainResult(run, facts["epoch"], facts["figures"], seconds, facts.get("converged"))


def _goes_on(config: TrainConfig, run: Run) -> bool:
    """Whether a finished training ended at a limit that is higher now."""
    facts = model_manifest(run.folder).metadata
    before = facts["train_config"]["epochs"]
    if facts.get("converged") is not False or before >= config.epochs:
        return False
    if not run.limit.exists():
        what = f"has no folder 'limit', so it cannot go on after epoch {before}"
        raise UsageError(what, where=run.folder, hint="use --fresh to start over")
    return True


def _fit(training: Training, checkpoint_seconds: float, compile: bool) -> None:
    config, table, device, report = training.config, training.table, training.device, training.report
    run, refinement = training.run, training.refinement

    # -- a new model, or the last checkpoint -----------------------------------------------------------
    # For weights and dropout; the order of the videos and mixup follow from the seed and the step alone.
    torch.manual_seed(config.seed)
    seen = table
    if config.readout_weight and training.rows is not None:
        seen = take_videos(table, training.rows)  # a readout is fitted to labels: not to those of the choice
    model = (new_model(config, seen) if refinement is None else refinement.model()).to(device)
    state = TrainState(model, WeightAverage(model, config.ema), build_optimizer(model, config))
    if state.restore(run, training.identity):
        epoch = state.at.first_epochs + state.at.epoch + 1
        report(Note(f"continuing at epoch {epoch}, batch {state.at.batch + 1}"))
    # The epochs after the checkpoint are trained again.
    truncate_log(run.log, state.at.first_epochs + state.at.measured)
    if refinement is not None:
        refinement.begin(state)
    report(Note(describe(config, model, training.videos, training.steps), passing=True))
    if training.rows is not None:
        report(Note(f"{len(training.choice):,} more are set aside, to choose the best epoch on"))
    loss_of = loss_function(config, model, device, criterion_of(config, table, device))
    if compile:
        loss_of = compiled(loss_of, device)

    # -- until it gets no better, then the refit -------------------------------------------------------
    if not state.at.refit:
        _train_on(training, state, loss_of, checkpoint_seconds)
        if config.refits:
            torch.manual_seed(config.seed)
            begin_refit(training, state, new_model(config, seen).to(device).state_dict())
    if state.at.refit:
        _train_on(training.refit(state.at.refit), state, loss_of, checkpoint_seconds)
    finish_training(training, state)


def _train_on(
    training: Training, state: TrainState, loss_of: LossFunction, checkpoint_seconds: float
) -> None:
    """All epochs that are left, of the cooldown or of those before it."""
    config, table, device, report = training.config, training.table, training.device, training.report
    run, refinement, model, steps = training.run, training.refinement, state.model, training.steps

    switch_branch(config, state.at)
    if state.at.measured < state.at.epoch:  # stopped while an epoch was measured
        finish_epoch(training, state)

    # -- what each step needs --------------------------------------------------------------------------
    targets_for, losses = targets_of(config, table, device), PendingLosses(device)
    rest = "the rest, if it gets better all the time," if config.schedule == "constant" else "the rest"
    clocks = (
        Stopwatch(config.warm_epochs * steps, report, "the warm-up", config.batch_size),
        Stopwatch(config.epochs * steps, report, rest, config.batch_size),
    )
    saved, counted = time.monotonic(), time.process_time()
    order = training.order(state.at.position)
    rates = with_branch(config, state.at)
    shown = training.videos * training.visits
    with ExitStack() as stack:
        feed = stack.enter_context(closing(batches(table, order, torch.device(device), report)))
        taught: Generator[Lesson] | None = None
        if training.distillation is not None:
            start = state.at.step, state.at.position
            every = lessons(training.distillation, config, table, *start, device, report, rows=training.rows)
            taught = stack.enter_context(closing(every))

        while goes_on(config, state.at):
            batch = next(feed)
            at = state.at

            # -- one step ------------------------------------------------------------------------------
            if not model.training:  # measuring an epoch leaves it in evaluation mode
                model.train()
            if config.warm_epochs:
                model.encoder.set_warm(at.branch_epoch < 0)
            factors = {
                "main": main_factor(rates, at.step, steps),
                "branch": branch_factor(rates, at.step, steps),
            }
            set_learning_rates(state.optimizer, factors)
            inputs, targets = targets_for(at.step, batch.inputs, batch.labels)
            loss = step(config, state, inputs, targets, loss_of, None if taught is None else next(taught))
            at.step, at.epoch, at.batch = at.step + 1, batch.after.epoch, batch.after.batch
            losses.add(at, loss, batch.videos)
            state.average.update(model, at.step)
            if refinement is not None:
                refinement.after_step(state, config.epochs * steps)

            # -- report progress -----------------------------------------------------------------------
            clocks[at.branch_epoch >= 0].tick(at.step)
            done = (at.step - 1) % steps + 1
            figures = {
                **({"loss": at.loss_sum / at.videos} if at.videos else {}),
                **({"gap": at.best_gap} if at.best_epoch else {}),
            }
            stage = f"epoch {(at.step - 1) // steps + 1}/{config.epochs}"
            report(Progress(stage, min(done * config.batch_size, shown), shown, "videos", figures))

            # -- once per epoch: measure, log, keep the best -------------------------------------------
            keeps = interrupt_requested() or time.monotonic() - saved >= checkpoint_seconds
            if keeps or at.batch == 0:  # not after each step, as asking costs as much as a small one
                at.cpu_seconds += time.process_time() - counted
                counted = time.process_time()
            if at.batch == 0:
                losses.settle(at)
                finish_epoch(training, state)
                rates = with_branch(config, at)
                counted = time.process_time()  # the time of measuring is not that of training

            # -- now and then: a checkpoint ------------------------------------------------------------
            if keeps:
                losses.settle(at)
                state.save(run, training.identity)
                saved = time.monotonic()
                check_interrupt()
