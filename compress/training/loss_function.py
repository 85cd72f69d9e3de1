"""What a step makes small: the loss of a batch as a function of its tensors, compiled or not."""

from __future__ import annotations

import os
import shutil
from typing import Protocol

import torch
from torch import Tensor

from compress.errors import UnavailableError, UsageError
from compress.training.config import TrainConfig
from compress.training.distillation.objective import taught
from encoders import Criterion, Inputs, Model, cross_entropy, encoder_level


class LossFunction(Protocol):
    """(inputs, labels, log-odds of teachers) -> loss and penalty, a scalar with a gradient.

    Labels are None for videos that learn from teachers alone, log-odds where there are no teachers.
    """

    def __call__(
        self, inputs: Inputs, labels: Tensor | None, log_odds: Tensor | None = None, /
    ) -> Tensor: ...


def loss_function(
    config: TrainConfig, model: Model, device: str, criterion: Criterion = cross_entropy
) -> LossFunction:
    """The loss of a recipe, in its precision; `criterion` is what it measures labels by (`criterion_of`)."""

    def loss(inputs: Inputs, labels: Tensor | None, log_odds: Tensor | None = None, /) -> Tensor:
        targets, measure = _objective(config, labels, log_odds, criterion)
        with torch.autocast(device, torch.bfloat16, enabled=config.precision == "bf16"):
            return model.loss(inputs, targets, config.input_dropout, measure) + model.penalty()

    return loss


def _objective(
    config: TrainConfig, labels: Tensor | None, log_odds: Tensor | None, criterion: Criterion
) -> tuple[Tensor, Criterion]:
    """What the heads are to say, and what they are measured by."""
    if log_odds is not None:
        return taught(labels, log_odds, criterion, config.distill_weight, config.temperature)
    assert labels is not None
    return labels, criterion


def compiled(loss: LossFunction, device: str, *, backend: str = "inductor") -> LossFunction:
    """The same function as fewer, larger pieces of machine code; the last bits differ.

    A GPU records the pieces once, and starts them all together afterwards (CUDA graphs), so that small steps
    are not held up by Python.

    Args:
        loss: what `loss_function` gives, of features: all batches but the last of an epoch have one shape.
            Its first call takes a minute, as does the first with another shape.
        device: "cpu" or "cuda".
        backend: of torch.compile; "eager" and "aot_eager" need no compiler.
    """
    if device != "cuda" or backend != "inductor":
        return torch.compile(loss, backend=backend, dynamic=False)
    recorded = torch.compile(loss, mode="reduce-overhead", dynamic=False)

    def replay(inputs: Inputs, labels: Tensor | None, log_odds: Tensor | None = None, /) -> Tensor:
        # What the last step left in the graphs' memory may be overwritten from here on.
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return recorded(inputs, labels, log_odds).clone()  # the loss is read some steps later

    return replay


def check_compile(config: TrainConfig) -> None:
    """Refuse to compile what cannot be, before a run's folder is claimed.

    Raises:
        UnavailableError: no C++ compiler, which torch.compile needs.
        UsageError: a closed-form encoder has no training steps; or it reads frames: torch can
            compile neither an LSTM's nor a QRNN's loop over time, and every batch has a shape of its own.
    """
    if config.head is None:
        what = f"{config.encoder} is a closed-form encoder, so there is nothing to compile"
        raise UsageError(what, where="--compile")
    if encoder_level(config.encoder) == "frame":
        what = f"{config.encoder} reads frames; only encoders of video-level features are compiled"
        raise UsageError(what, where="--compile")
    names = [os.environ["CXX"]] if "CXX" in os.environ else ["g++", "c++", "clang++"]
    if not any(shutil.which(name) for name in names):
        what = "no C++ compiler, which torch.compile needs"
        raise UnavailableError(what, where="--compile", hint="install g++, or --no-compile")
