"""The optimiser: which parameters are decayed, which learn at the branch's rate."""

from __future__ import annotations

import torch
from torch import nn

from compress.training.config import TrainConfig
from compress.weights import is_matrix
from encoders import Model

_NOT_ZERO = 1e-6  # what clip_grad_norm_ adds to a norm


def build_optimizer(model: Model, config: TrainConfig) -> torch.optim.Optimizer:
    """Adam or AdamW over the main and the branch parameters; only matrices decay.

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
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(chosen, lr=config.learning_rate, betas=(0.9, 0.999), eps=1e-8, fused=True)


def set_learning_rates(optimizer: torch.optim.Optimizer, factors: dict[str, float]) -> None:
    """Give each group its peak times the factor of its part."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factors[group["part"]]


def clip_each(model: nn.Module, norm: float) -> None:
    """Cut the gradient of each tensor to `norm` on its own, as the papers' code does.

    To the bit what `nn.utils.clip_grad_norm_` does to one tensor at a time, in three calls for all.
    """
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    if gradients:
        norms = torch.stack(torch._foreach_norm(gradients))
        torch._foreach_mul_(gradients, (norm / (norms + _NOT_ZERO)).clamp_max_(1.0).unbind())
