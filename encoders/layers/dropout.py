"""Dropout with random numbers that a CPU draws quickly."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def dropout(x: Tensor, rate: float, training: bool) -> Tensor:
    """As `F.dropout`; on a CPU in a third of the time.

    torch's `bernoulli_` compares uniform float64 numbers with the rate, but draws them slowly; only where it
    leaves that to MKL are its numbers other ones.
    """
    if not training or rate == 0:
        return x
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return F.dropout(x, rate)
    kept = torch.rand(x.shape, dtype=torch.float64, device="cpu") < 1 - rate
    return x * kept.to(x.dtype).div_(1 - rate)


class Dropout(nn.Dropout):
    """`nn.Dropout` by `dropout`."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape -> the same."""
        return dropout(x, self.p, self.training)
