"""What follows the steps of an epoch: measure it, keep the best, decide whether it was the last.

The best epoch is chosen on training videos that are set aside, or, with `set_aside=0`, on the validation
videos. A recipe with a constant rate trains until patience ends it: then it has converged. A refit then
trains as many epochs again with a falling rate, on the same videos: those set aside stay unseen, as judges
choose their settings on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np
from torch import Tensor

from compress.artifacts.folder import load_folder
from compress.datasets.batches import Position, Step, batches_per_epoch, visits_of_few
from compress.errors import DivergedError, Interrupted, RecordError, SchemaError
from compress.metrics import Figures
from compress.progress import Note, Reporter
from compress.training.config import TrainConfig
from compress.training.distillation import Distillation
from compress.training.identity import taught_by
from compress.training.inputs import Table, take_videos, training_order
from compress.training.log import append_log, keep_log
from compress.training.run import WEIGHTS, Run, model_facts, read_tensors, save_model
from compress.training.scoring import figures_by_dim, figures_json
from compress.training.set_aside import set_aside
from compress.training.state import CALMER, Best, Progressed, Refinement, TrainState


@dataclass(frozen=True, eq=False)
class Training:
    """What a training is made of.

    Args:
        config: the recipe.
        table: the training videos.
        rows: int64 (n,), those of them that are trained on; None for all.
        choice: the videos that the best epoch is chosen on: those set aside, or the validation videos.
        validation: the videos of the model's figures.
        identity: of the run, as in its config.json.
    """

    config: TrainConfig
    table: Table
    rows: np.ndarray | None
    choice: Table
    validation: Table
    run: Run
    identity: dict[str, Any]
    device: str
    report: Reporter
    distillation: Distillation | None
    refinement: Refinement | None

    def refit(self, epochs: int) -> Training:
        """The training of a refit of so many epochs; with warm epochs these come first."""
        warm = epochs if self.config.warm_epochs else 0
        epochs += self.config.branch_epochs if warm else 0
        plan: dict[str, Any] = {"schedule": "cosine", "refit": False, "keep": "last", "patience": 0}
        return replace(self, config=replace(self.config, epochs=epochs, warm_epochs=warm, **plan))

    @property
    def videos(self) -> int:
        """How many videos are trained on."""
        return len(self.table) if self.rows is None else len(self.rows)

    @property
    def visits(self) -> int:
        """How often an epoch visits each of them."""
        return visits_of_few(self.videos, self.config.batch_size, self.config.least_steps)

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return batches_per_epoch(self.videos, self.config.batch_size, self.visits)

    def order(self, start: Position) -> Iterator[Step]:
        """The batches from `start` on, as rows of the table."""
        size, seed, least = self.config.batch_size, self.config.seed, self.config.least_steps
        return training_order(self.table, size, seed, start, rows=self.rows, least_batches=least)


def divided(config: TrainConfig, table: Table) -> tuple[np.ndarray | None, Table | None]:
    """The rows to train on and the videos set aside; (None, None) if none are: all rows are trained on."""
    if not config.set_aside:
        return None, None
    chosen = set_aside(table.ids, config.set_aside)
    if not chosen.any():
        return None, None
    for what, rows in (("set aside", chosen), ("left to train on", ~chosen)):
        if not table.labels.counts()[rows].any():
            raise SchemaError(f"no training video that is {what} has a label", hint="--set set_aside=0")
    return np.flatnonzero(~chosen), take_videos(table, np.flatnonzero(chosen))


def finish_epoch(training: Training, state: TrainState) -> None:
    """Measure the running average, log it, keep it where it is the best so far, switch the branch on."""
    config, at = training.config, state.at
    loss, epoch = at.loss_sum / at.videos, at.first_epochs + at.epoch
    # The time is that of training alone, on all cores together.
    line = {"epoch": epoch, "loss": loss, "cpu_seconds": round(at.cpu_seconds, 1)}
    note = f"epoch {epoch}: loss {loss:.3f}"
    if not at.refit:  # in it nothing is chosen
        by_dim = _measured(training, state, training.choice)
        figures, prefixes, found = by_dim[state.model.dim], sorted(by_dim)[:-1], figures_json(by_dim)
        line |= found["figures"] | ({"by_dim": found["figures_by_dim"]} if prefixes else {})
        note += f", GAP {figures.gap:.4f}, MAP {figures.map:.4f}"
        for dim in prefixes:
            note += f"; first {dim} dimensions: GAP {by_dim[dim].gap:.4f}, MAP {by_dim[dim].map:.4f}"
        # The mean over all embedding sizes: no size is chosen at the cost of the others.
        gap = fmean(each.gap for each in by_dim.values())
        if config.keep == "last" or gap > at.best_gap:
            at.best_gap, at.best_epoch = gap, at.epoch
            state.keep_best(_facts(training, state, at.epoch) | found)
    append_log(training.run.log, line)
    training.report(Note(note, passing=True))
    at.measured, at.loss_sum, at.videos, at.cpu_seconds = at.epoch, 0.0, 0, 0.0
    switch_branch(config, at)


def switch_branch(config: TrainConfig, at: Progressed) -> None:
    """Switch the branch on after the warm epochs; at a constant rate as soon as they get no better.

    Where a refit follows, it stays off until then: it costs most of the time, and the refit trains it.
    """
    if at.branch_epoch >= 0 or (config.refits and config.warm_epochs):
        return
    if at.epoch >= config.warm_epochs:
        at.branch_epoch = config.warm_epochs
    elif config.schedule == "constant" and _patience_lost(config, at):
        at.branch_epoch = at.epoch


def with_branch(config: TrainConfig, at: Progressed) -> TrainConfig:
    """The recipe with the warm epochs that there were."""
    return config if at.branch_epoch < 0 else replace(config, warm_epochs=at.branch_epoch)


def goes_on(config: TrainConfig, at: Progressed) -> bool:
    """Whether another epoch follows."""
    return at.epoch < config.epochs and not _ended(config, at)


def _ended(config: TrainConfig, at: Progressed) -> bool:
    """Whether patience is lost, and nothing new comes that could make epochs better again."""
    # While the branch is off, epochs do not get better for long: patience starts after them.
    return (at.branch_epoch >= 0 or config.refits) and _patience_lost(config, at)


def _patience_lost(config: TrainConfig, at: Progressed) -> bool:
    waited = at.epoch - max(at.best_epoch, at.branch_epoch)
    return bool(config.patience) and config.keep == "best" and waited >= config.patience


def converged(config: TrainConfig, at: Progressed) -> bool | None:
    """Whether patience ended a training: False if the limit of epochs did.

    None where neither can tell: the rate falls by a plan, or the last epoch is kept.
    """
    if config.schedule != "constant" or config.keep == "last" or not config.patience:
        return None
    if at.refit:
        return at.first_epochs - at.best_epoch >= config.patience
    return _ended(config, at)


def begin_refit(training: Training, state: TrainState, fresh: Mapping[str, Tensor]) -> None:
    """Begin again with a new model's weights; at a limit of epochs, keep the state to go on from."""
    at = state.at
    if converged(training.config, at) is False:
        state.save(training.run, training.identity, at_limit=True)
    state.begin_again(fresh)
    state.at = Progressed(
        best_gap=at.best_gap,
        best_epoch=at.best_epoch,
        refit=at.best_epoch,
        first_epochs=at.epoch,
        first_steps=at.step,
    )
    training.report(Note(f"epoch {at.best_epoch} was the best: as many again, with a falling rate"))


def finish_training(training: Training, state: TrainState) -> None:
    """The refit becomes the model, or the best epoch; with figures on the validation videos."""
    config, run, at = training.config, training.run, state.at
    best = _best(run, state)
    weights, facts = best.weights, dict(best.facts)
    chosen = {name: facts[name] for name in ("epoch", "figures")}
    if at.refit:
        weights, facts = state.average.weights, _facts(training, state, at.epoch)
    elif converged(config, at) is False:
        state.save(run, training.identity, at_limit=True)
    facts |= {"epochs_trained": at.first_epochs + at.epoch, "steps": at.first_steps + at.step}
    facts |= {"converged": converged(config, at)}
    if training.rows is not None:
        facts["set_aside"] = {"videos": len(training.choice), "never_trained_on": True, **chosen}
    if at.refit or training.rows is not None:
        facts |= figures_json(_measured(training, state, training.validation, weights))
    keep_log(run.log)
    save_model(run.model, weights, facts)
    if facts["converged"] is False:
        last = min(config.patience, config.epochs)
        what = f"not converged: GAP still rose in the last {last} of {config.epochs} epochs"
        training.report(Note(f"{what}; the same command with --epochs {2 * config.epochs} goes on"))


def _best(run: Run, state: TrainState) -> Best:
    if state.best is not None:
        return state.best
    return load_folder(
        run.best, "model", lambda kept: Best(read_tensors(kept.path(WEIGHTS)), kept.metadata, written=True)
    )


def _facts(training: Training, state: TrainState, epoch: int) -> dict[str, Any]:
    facts = model_facts(state.model, training.config, training.table, epoch)
    return facts | taught_by(training.distillation)


def _measured(
    training: Training, state: TrainState, table: Table, weights: Mapping[str, Tensor] | None = None
) -> dict[int, Figures]:
    """The figures of some weights, None for the running average, by embedding size."""
    try:
        with state.averaged() if weights is None else state.holding(weights):
            return figures_by_dim(state.model, table, training.config.precision)
    except Interrupted:
        state.save(training.run, training.identity)  # a continued training measures again
        raise
    except RecordError as error:  # the tables hold no NaN, so the weights do
        epoch = state.at.first_epochs + state.at.epoch
        raise DivergedError(f"the scores are not finite after epoch {epoch}", hint=CALMER) from error
