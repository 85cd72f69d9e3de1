"""What a step makes small: the loss of a batch as a function of its tensors, compiled or not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import torch
from torch import Tensor

from compress.errors import UnavailableError, UsageError
from compress.training.config import TrainConfig
from encoders import Inputs, Model, encoder_level

LossFunction = Callable[[Inputs, Tensor], Tensor]


def loss_function(config: TrainConfig, model: Model, device: str) -> LossFunction:
    """(inputs, labels) -> loss and penalty, a scalar with a gradient, in the recipe's precision."""

    def loss(inputs: Inputs, labels: Tensor) -> Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=config.precision == "bf16"):
            return model.loss(inputs, labels, config.input_dropout) + model.penalty()

    return loss


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

    def replay(inputs: Inputs, labels: Tensor) -> Tensor:
        # What the last step left in the graphs' memory may be overwritten from here on.
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return recorded(inputs, labels).clone()  # the loss is read some steps later

    return replay


def check_compile(config: TrainConfig) -> None:
    """Refuse to compile what cannot be, before a run's folder is claimed.

    Raises:
        UnavailableError: no C++ compiler, which torch.compile needs.
        UsageError: the encoder is computed in closed form: there are no steps; or it reads frames: torch can
            compile neither an LSTM's nor a QRNN's loop over time, and every batch has a shape of its own.
    """
    if config.head is None:
        what = f"{config.encoder} is computed, not trained, so there is nothing to compile"
        raise UsageError(what, where="--compile")
    if encoder_level(config.encoder) == "frame":
        what = f"{config.encoder} reads frames; only encoders of video-level features are compiled"
        raise UsageError(what, where="--compile")
    names = [os.environ["CXX"]] if "CXX" in os.environ else ["g++", "c++", "clang++"]
    if not any(shutil.which(name) for name in names):
        what = "no C++ compiler, which torch.compile needs"
        raise UnavailableError(what, where="--compile", hint="install g++, or --no-compile")
