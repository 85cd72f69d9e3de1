"""The state of a training: its steps and checkpoints. On a CPU a resumed run is equal to the bit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from compress.artifacts.folder import commit_folder, read_folder
from compress.artifacts.manifest import Manifest
from compress.datasets.batches import Position
from compress.errors import CorruptArtifactError, DivergedError
from compress.training.config import TrainConfig
from compress.training.distillation import Lesson
from compress.training.identity import same_training
from compress.training.log import keep_log
from compress.training.objective import LossFunction
from compress.training.optimizer import WeightAverage, clip_each
from compress.training.run import Run, read_tensors, save_model, tensors_file
from encoders import Inputs, Model

_START_OVER = "use --fresh to start over"
CALMER = "lower --learning-rate, or --set precision=fp32"
READ_EVERY = {"cpu": 1, "cuda": 64}  # steps; reading a loss stalls a GPU


@dataclass
class Progressed:
    """Progress of a training, as plain numbers.

    Args:
        epoch, batch: position of the next batch.
        step: optimiser steps done.
        loss_sum, videos: of the current epoch, for its mean loss.
        measured: epochs measured; one less than `epoch` while an epoch is measured.
        best_gap, best_epoch: of the epochs so far, -1 and 0 before the first.
        branch_epoch: epochs before the branch was switched on; -1 while it is off.
        refit: best_epoch, once its refit has begun; all above but the best then starts again.
        first_epochs, first_steps: those before the refit.
        cpu_seconds: of the current epoch, over all threads, without measuring.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    videos: int = 0
    measured: int = 0
    best_gap: float = -1.0
    best_epoch: int = 0
    branch_epoch: int = -1
    refit: int = 0
    first_epochs: int = 0
    first_steps: int = 0
    cpu_seconds: float = 0.0

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.batch)


@dataclass
class Best:
    """The best epoch since the process began, in memory: weights on the CPU and the model's metadata."""

    weights: Mapping[str, Tensor]
    facts: dict[str, Any]
    written: bool = False

    def write(self, run: Run) -> None:
        """Commit it to the run's folder `best`, unless it is there."""
        if not self.written:
            save_model(run.best, self.weights, self.facts)
            self.written = True


@dataclass
class TrainState:
    """Model, its running average, optimiser and counters; the best epoch, None if `run.best` holds it."""

    model: Model
    average: WeightAverage
    optimizer: torch.optim.Optimizer
    at: Progressed = field(default_factory=Progressed)
    best: Best | None = None

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Context: the model has the running average as its weights."""
        self.average.swap(self.model)
        try:
            yield
        finally:
            self.average.swap(self.model)

    @contextmanager
    def holding(self, weights: Mapping[str, Tensor]) -> Iterator[None]:
        """Context: the model has these weights."""
        held = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(dict(weights))
        try:
            yield
        finally:
            self.model.load_state_dict(held)

    def begin_again(self, fresh: Mapping[str, Tensor]) -> None:
        """Go on with the weights of a new model, in the same memory."""
        self.model.load_state_dict(dict(fresh))
        for name, value in self.average.weights.items():
            value.copy_(fresh[name])
        self.optimizer.state.clear()

    def keep_best(self, facts: dict[str, Any]) -> None:
        """Hold the running average as the best epoch; it is written with the next checkpoint."""
        # A disk waits longer for a tiny model than its epochs take.
        self.best = Best(
            {n: value.detach().cpu().clone() for n, value in self.average.weights.items()}, facts
        )

    def save(self, run: Run, identity: dict[str, Any], *, at_limit: bool = False) -> None:
        """Commit a checkpoint, or the state at the limit of epochs; an older one is replaced in one step."""
        keep_log(run.log)
        if self.best is not None:
            self.best.write(run)
        files = {
            "model.safetensors": tensors_file(self.model.state_dict()),
            "average.safetensors": tensors_file(self.average.weights),
            "optimizer.safetensors": tensors_file(_flat(self.optimizer)),
            "random.safetensors": tensors_file(_random_states()),
        }
        folder = run.limit if at_limit else run.checkpoint
        commit_folder(folder, "checkpoint", files, {"identity": identity, "at": asdict(self.at)})

    def restore(self, run: Run, identity: dict[str, Any]) -> bool:
        """Continue from the last checkpoint, or from the limit if it is higher now; False if there is none.

        Raises:
            CorruptArtifactError: a checksum does not match, or the checkpoint is another training's.
        """
        manifest = next(filter(None, (_checkpoint(folder) for folder in (run.checkpoint, run.limit))), None)
        if manifest is None:
            return False
        if manifest.metadata["identity"]["config"]["epochs"] < identity["config"]["epochs"]:
            # The last checkpoint may lie behind the old limit, where the refit has begun.
            manifest = _checkpoint(run.limit) or manifest
        if not same_training(manifest.metadata["identity"], identity):
            raise CorruptArtifactError("belongs to another training", where=manifest.folder, hint=_START_OVER)
        try:
            self._take(manifest)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            what = f"holds a training that this version cannot continue ({str(error).splitlines()[0]})"
            raise CorruptArtifactError(what, where=manifest.folder, hint=_START_OVER) from error
        return True

    def _take(self, manifest: Manifest) -> None:
        self.model.load_state_dict(read_tensors(manifest.path("model.safetensors")))
        average = read_tensors(manifest.path("average.safetensors"))
        for name, value in self.average.weights.items():
            value.copy_(average[name])
        _unflatten(self.optimizer, read_tensors(manifest.path("optimizer.safetensors")))
        _set_random_states(read_tensors(manifest.path("random.safetensors")))
        at = manifest.metadata["at"]
        self.at = Progressed(**{"measured": at["epoch"], **at})  # older checkpoints have no "measured"


def _checkpoint(folder: Path) -> Manifest | None:
    return read_folder(folder, "checkpoint") if (folder / "manifest.json").exists() else None


def _flat(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    # Parameter numbers instead of names: they follow the order of the groups, which the config decides.
    state = optimizer.state_dict()["state"]
    return {f"{number}.{name}": value for number, entry in state.items() for name, value in entry.items()}


def _unflatten(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split(".")
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _random_states() -> dict[str, Tensor]:
    # Of torch alone: numpy's generators are made anew from seed and step wherever they are used.
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _set_random_states(states: dict[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])


def step(
    config: TrainConfig,
    state: TrainState,
    inputs: Inputs,
    labels: Tensor,
    loss_of: LossFunction,
    lesson: Lesson | None = None,
) -> Tensor:
    """One step of the optimiser; nothing in it waits for a GPU. The running average is not updated.

    Args:
        config: the recipe.
        state: model and optimiser.
        inputs: of the model, on its device.
        labels: targets (B, C) on the device, bool or floating point in [0, 1] (see `Targets`).
        loss_of: by `loss_function`.
        lesson: what teachers add; an unlabelled video has the weight of a labelled one.

    Returns:
        The loss before the step, a scalar on the device, mean over videos; it may not be finite.
    """
    for group in state.optimizer.param_groups:  # zero_grad also records itself for profilers
        for parameter in group["params"]:
            parameter.grad = None
    if lesson is None:
        loss = _backward(loss_of(inputs, labels))
    elif lesson.further is None:
        loss = _backward(loss_of(inputs, labels, lesson.logits(inputs)))
    else:
        # Two passes, one after the other: only one is in memory, and compiled code sees one shape in each.
        more, logits = lesson.further
        share = more.videos / (len(labels) + more.videos)
        loss = _backward((1 - share) * loss_of(inputs, labels, lesson.logits(inputs)))
        loss = loss + _backward(share * loss_of(more.inputs, None, logits(more.inputs)))
    if config.clip_norm:
        clip_each(state.model, config.clip_norm)
    state.optimizer.step()
    return loss


def _backward(loss: Tensor) -> Tensor:
    """Add to the gradients; the loss without its history."""
    loss.backward()  # type: ignore[no-untyped-call]
    return loss.detach()


class PendingLosses:
    """Adds losses to `Progressed` every READ_EVERY steps; in order, so the sum has the bits of one by one.

    Call `settle` before saving anything, so that nothing after a loss that is not finite is saved.
    """

    def __init__(self, device: str) -> None:
        self._every = READ_EVERY[device]
        self._waiting: list[tuple[Tensor, int, int]] = []

    def add(self, at: Progressed, loss: Tensor, videos: int) -> None:
        """The loss of step `at.step`, a scalar, mean over its videos; DivergedError as `settle`."""
        self._waiting.append((loss, videos, at.step))
        if len(self._waiting) >= self._every:
            self.settle(at)

    def settle(self, at: Progressed) -> None:
        """Add the waiting losses to `at.loss_sum` and `at.videos`; DivergedError if one is not finite."""
        if not self._waiting:
            return
        values = torch.stack([loss for loss, _, _ in self._waiting]).tolist()
        for value, (_, videos, step) in zip(values, self._waiting, strict=True):
            refuse_divergence(value, step)
            at.loss_sum, at.videos = at.loss_sum + value * videos, at.videos + videos
        self._waiting.clear()


def refuse_divergence(loss: float, step: int) -> None:
    """DivergedError unless the loss of a step (from 1) is finite."""
    if not math.isfinite(loss):
        raise DivergedError(f"the loss is {loss} at step {step}", hint=CALMER)


class Refinement(Protocol):
    """The model that a training starts from, and a change of its weights after each step (pruning)."""

    @property
    def facts(self) -> dict[str, Any]:
        """JSON that is part of the training's identity; it includes the model's sha256."""

    def model(self) -> Model:
        """A new copy of the model, on the CPU, of the architecture that the recipe describes."""

    def begin(self, state: TrainState) -> None:
        """Called once before the first step of a process, after a checkpoint was restored."""

    def after_step(self, state: TrainState, steps: int) -> None:
        """Called when `state.at.step` of `steps` steps are done and the running average has followed.

        Any state between steps must follow from the weights and the step: checkpoints do not hold it.
        """
