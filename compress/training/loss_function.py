"""What a step makes small: the loss of a batch as a function of its tensors, compiled or not."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable

import torch
from torch import Tensor

from compress.errors import UnavailableError
from compress.training.config import TrainConfig
from encoders import Inputs, Model

LossFunction = Callable[[Inputs, Tensor], Tensor]

_CACHE_IGNORED = ".*`functools.lru_cache`-wrapped function.*"  # torch reads through ours, as it should


def loss_function(config: TrainConfig, model: Model, device: str) -> LossFunction:
    """(inputs, labels) -> loss and penalty, a scalar with a gradient, in the recipe's precision."""

    def loss(inputs: Inputs, labels: Tensor) -> Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=config.precision == "bf16"):
            return model.loss(inputs, labels, config.input_dropout) + model.penalty()

    return loss


def compiled(
    loss: LossFunction, device: str, *, same_shapes: bool, backend: str = "inductor"
) -> LossFunction:
    """The same function as fewer, larger pieces of machine code; the last bits differ.

    Args:
        loss: what `loss_function` gives. Its first call takes a minute, as does the first with other shapes.
        device: "cpu" or "cuda".
        same_shapes: whether all batches but the last have one shape. A GPU then records the pieces once, and
            starts them all together afterwards (CUDA graphs), so that small steps are not held up by Python.
        backend: of torch.compile; "eager" and "aot_eager" need no compiler.

    Raises:
        UnavailableError: no C++ compiler, which inductor needs.
    """
    if backend == "inductor":
        _require_compiler()
    warnings.filterwarnings("ignore", message=_CACHE_IGNORED, category=UserWarning)
    if device != "cuda" or not same_shapes or backend != "inductor":
        return torch.compile(loss, backend=backend, dynamic=False if same_shapes else None)
    recorded = torch.compile(loss, mode="reduce-overhead", dynamic=False)

    def replay(inputs: Inputs, labels: Tensor) -> Tensor:
        torch.compiler.cudagraph_mark_step_begin()  # the last step's memory may be overwritten from here on
        return recorded(inputs, labels).clone()  # the loss is read some steps later

    return replay


def _require_compiler() -> None:
    names = [os.environ["CXX"]] if "CXX" in os.environ else ["g++", "c++", "clang++"]
    if not any(shutil.which(name) for name in names):
        raise UnavailableError(
            "no C++ compiler, which torch.compile needs",
            where="--compile",
            hint="install one, or --no-compile",
        )
