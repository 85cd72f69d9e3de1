"""Everything that changes while training, and how it is kept: a resumed run continues bit for bit (CPU)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from compress.artifacts.folder import Manifest, commit_folder, read_folder
from compress.datasets.batches import Position
from compress.errors import CorruptArtifactError
from compress.training.averaging import WeightAverage
from compress.training.identity import same_training
from compress.training.run import Run, read_tensors, tensors_file
from encoders import Model


@dataclass
class Progressed:
    """How far a training is: plain numbers.

    Args:
        epoch, batch: the next batch.
        step: optimiser steps done.
        loss_sum, videos: over the running epoch, for its mean loss.
        measured: epochs that were measured; one less than `epoch` while the last one is.
        best_gap, best_epoch: of the epochs so far, -1 and 0 before the first.
        cpu_seconds: over the running epoch, of all threads, without the measuring.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    videos: int = 0
    measured: int = 0
    best_gap: float = -1.0
    best_epoch: int = 0
    cpu_seconds: float = 0.0

    @property
    def position(self) -> Position:
        return Position(self.epoch, self.batch)


@dataclass
class TrainState:
    """Model, its running average, optimiser and counters."""

    model: Model
    average: WeightAverage
    optimizer: torch.optim.Optimizer
    at: Progressed = field(default_factory=Progressed)

    def save(self, run: Run, identity: dict[str, Any]) -> None:
        """Commit a checkpoint; an older one is replaced in one step."""
        files = {
            "model.safetensors": tensors_file(self.model.state_dict()),
            "average.safetensors": tensors_file(self.average.weights),
            "optimizer.safetensors": tensors_file(_flat(self.optimizer)),
            "random.safetensors": tensors_file(_random_states()),
        }
        commit_folder(run.checkpoint, "checkpoint", files, {"identity": identity, "at": asdict(self.at)})

    def restore(self, run: Run, identity: dict[str, Any]) -> bool:
        """Continue from the last checkpoint; False when there is none.

        Raises:
            CorruptArtifactError: a checksum does not match, or the checkpoint is of another training.
        """
        if not (run.checkpoint / "manifest.json").exists():
            return False
        manifest = read_folder(run.checkpoint, "checkpoint")
        if not same_training(manifest.metadata["identity"], identity):
            raise CorruptArtifactError(
                "was left by another training", where=run.checkpoint, hint="use --fresh to start over"
            )
        try:
            self._take(manifest)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            what = f"holds a training that this version cannot continue ({str(error).splitlines()[0]})"
            raise CorruptArtifactError(
                what, where=run.checkpoint, hint="use --fresh to start over"
            ) from error
        return True

    def _take(self, manifest: Manifest) -> None:
        self.model.load_state_dict(read_tensors(manifest.path("model.safetensors")))
        average = read_tensors(manifest.path("average.safetensors"))
        for name, value in self.average.weights.items():
            value.copy_(average[name])
        _unflatten(self.optimizer, read_tensors(manifest.path("optimizer.safetensors")))
        _set_random_states(read_tensors(manifest.path("random.safetensors")))
        at = manifest.metadata["at"]
        self.at = Progressed(**{"measured": at["epoch"], **at})  # earlier versions kept nothing in between


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
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _set_random_states(states: dict[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
