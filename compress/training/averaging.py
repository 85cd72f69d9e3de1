"""The running average of the weights that is validated and kept (exponential moving average)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_FIRST_STEPS = 10  # early on the average follows closely: decay (1 + n) / (10 + n) until it reaches `decay`


class WeightAverage:
    """average = decay * average + (1 - decay) * weights, buffers (batch norm statistics) included.

    Args:
        model: whose weights are followed; the average starts as a copy.
        decay: in [0, 1); 0 follows the weights exactly.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, Tensor] = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after `step` (from 1)."""
        share = 1 - min(self.decay, (1 + step) / (_FIRST_STEPS + step)) if self.decay else 1.0
        current = model.state_dict()
        floats = [name for name, value in current.items() if value.is_floating_point()]
        torch._foreach_lerp_([self.weights[n] for n in floats], [current[n] for n in floats], share)
        for name in current.keys() - floats:
            self.weights[name].copy_(current[name])

    def swap(self, model: nn.Module) -> None:
        """Exchange the model's weights and the average; call it again to change back."""
        held = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.weights)
        self.weights = held
