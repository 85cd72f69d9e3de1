"""The optimiser: weight decay, learning rates at each step, and the running average of the weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from compress.training.config import TrainConfig
from compress.training.weights import is_matrix
from encoders import Model

_NOT_ZERO = 1e-6  # added to a norm, as by torch's clip_grad_norm_
FINAL_SHARE = 0.01  # of the peak, at the end of a cosine arc
LONGEST_RISE = 0.6  # of an arc, so that a short training still reaches its full rate
_FIRST_STEPS = 10  # the decay is at most (1 + n) / (10 + n), so that early weights are soon forgotten


def build_optimizer(model: Model, config: TrainConfig) -> torch.optim.Optimizer:
    """Adam or AdamW over the main and the branch parameters; weight decay on matrices only.

    Each group carries `peak` (its learning rate at factor 1) and `part` ("main" or "branch").
    """
    branch = {id(parameter) for parameter in model.encoder.branch_parameters()}
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            part = "branch" if id(parameter) in branch else "main"
            groups.setdefault((part, is_matrix(name, parameter)), []).append(parameter)
    chosen = [
        {
            "params": parameters,
            "part": part,
            "peak": config.branch_learning_rate if part == "branch" else config.learning_rate,
            "weight_decay": config.weight_decay if decayed else 0.0,
        }
        for (part, decayed), parameters in groups.items()
    ]
    # fused: one pass over the weights instead of one per operation.
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(chosen, lr=config.learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=True)


def set_learning_rates(optimizer: torch.optim.Optimizer, factors: dict[str, float]) -> None:
    """Give each group its peak times the factor of its part."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factors[group["part"]]


def clip_each(model: nn.Module, norm: float) -> None:
    """Clip the gradient of each tensor to `norm` on its own, as the papers' code does.

    Equal to the bit to `nn.utils.clip_grad_norm_` of one tensor at a time, but three calls for all.
    """
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    if gradients:
        norms = torch.stack(torch._foreach_norm(gradients))
        torch._foreach_mul_(gradients, (norm / (norms + _NOT_ZERO)).clamp_max_(1.0).unbind())


def main_factor(config: TrainConfig, step: int, steps_an_epoch: int) -> float:
    """Factor on `learning_rate` at `step` (from 0)."""
    if config.schedule == "staircase":
        return staircase(step * config.batch_size, config.decay, config.decay_examples)
    warm = config.warm_epochs * steps_an_epoch
    if step < warm:
        return _arc(config, step, warm)
    peak = config.second_peak if warm else 1.0
    return peak * _arc(config, step - warm, config.epochs * steps_an_epoch - warm)


def branch_factor(config: TrainConfig, step: int, steps_an_epoch: int) -> float:
    """Factor on `branch_learning_rate` at `step`: 0 while the branch is switched off."""
    warm = config.warm_epochs * steps_an_epoch
    if step < warm:
        return 0.0
    if config.schedule == "staircase":
        return main_factor(config, step, steps_an_epoch)
    return _arc(config, step - warm, config.epochs * steps_an_epoch - warm)


def _arc(config: TrainConfig, step: int, steps: int) -> float:
    """Of one stage of `steps` steps."""
    if config.schedule == "constant":
        return rise(step, config.warmup_steps)
    return cosine(step, steps, config.warmup_steps)


def rise(step: int, warmup_steps: int) -> float:
    """From 0 to 1 over `warmup_steps`, and 1 from then on.

    Example:
        >>> [rise(step, 4) for step in (0, 1, 3, 99)]
        [0.25, 0.5, 1.0, 1.0]
    """
    return min(1.0, (step + 1) / max(1, warmup_steps))


def cosine(step: int, steps: int, warmup_steps: int) -> float:
    """Half a cosine from 1 to FINAL_SHARE over `steps`, times a linear rise over `warmup_steps`.

    Example:
        >>> [round(cosine(step, 100, 0), 3) for step in (0, 50, 100)]
        [1.0, 0.505, 0.01]
    """
    arc = FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + math.cos(math.pi * min(step / max(steps, 1), 1.0)))
    return arc * rise(step, min(warmup_steps, round(LONGEST_RISE * steps)))


def staircase(examples: int, decay: float, decay_examples: int) -> float:
    """decay ** (whole `decay_examples` seen so far), as the papers' code (models.md section 2).

    Example:
        >>> staircase(8_000_000, 0.95, 4_000_000)
        0.9025
    """
    return decay ** (examples // decay_examples)


class WeightAverage:
    """average = decay * average + (1 - decay) * weights, buffers (batch norm statistics) included.

    The average starts as a copy of the model's weights; with decay 0 it equals them.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = {k: v.detach().clone() for k, v in model.state_dict().items()}
        self._of: nn.Module | None = None
        self._current: dict[str, Tensor] = {}
        self._floats: list[str] = []

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Add the weights after `step` (from 1)."""
        share = 1 - min(self.decay, (1 + step) / (_FIRST_STEPS + step)) if self.decay else 1.0
        if self._of is not model:
            # Kept, since a state dict costs as much as the step of a tiny model; steps change it in place.
            self._of, self._current = model, model.state_dict()
            self._floats = [name for name, value in self._current.items() if value.is_floating_point()]
        floats, current = self._floats, self._current
        torch._foreach_lerp_([self.weights[n] for n in floats], [current[n] for n in floats], share)
        for name in current.keys() - floats:
            self.weights[name].copy_(current[name])

    def swap(self, model: nn.Module) -> None:
        """Exchange the model's weights and the average; a second call changes them back."""
        held = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.weights)
        self.weights = held
