"""Going on from a finished model: what `train` gets besides recipe and videos, e.g. to prune (shrinking)."""

from __future__ import annotations

from typing import Any, Protocol

from compress.training.state import TrainState
from encoders import Model


class Refinement(Protocol):
    """Which model a training starts from, and what is done to its weights after each step."""

    @property
    def facts(self) -> dict[str, Any]:
        """JSON that makes the training that one and no other; the model's sha256 is among it."""

    def model(self) -> Model:
        """A new copy of the model, on the CPU, of the architecture that the recipe describes."""

    def begin(self, state: TrainState) -> None:
        """Called once before the first step of a process, after a checkpoint was restored."""

    def after_step(self, state: TrainState, steps: int) -> None:
        """Called when `state.at.step` of `steps` steps are done and the running average has followed.

        What it keeps between steps must follow from the weights and the step, as no checkpoint has it.
        """
