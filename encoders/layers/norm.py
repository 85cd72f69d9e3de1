"""Batch norm as in the papers' code: shift without scale, and safe for a training batch of one video."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BatchNorm(nn.Module):
    """Normalise each channel of (B, C) or (B, C, L).

    Args:
        channels: C.
        momentum: weight of the newest batch in the running statistics; 0.001 is the papers' decay of 0.999,
            which needs thousands of steps.
        eps: added to the variance; papers 1e-3.
        scale: learn a factor (gamma) too; papers: no.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(
        self, channels: int, momentum: float = 0.001, eps: float = 1e-3, scale: bool = False
    ) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(channels)) if scale else None
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        # One number a channel has no variance: use the running statistics, and leave them alone.
        by_batch = self.training and x.numel() > x.shape[1]
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, by_batch, self.momentum, self.eps
        )
