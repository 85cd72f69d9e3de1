"""Squeeze-and-excitation gates on a vector (NeXtVLAD, see grouped_vlad.py; Hu et al. 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.layers.norm import BatchNorm


class ContextGating(nn.Module):
    """x * sigmoid(W2 relu(norm(W1 x))), without biases.

    Args:
        width: numbers of x.
        reduction: the layer in between has width // reduction numbers, at least 1.
        momentum, eps, scale: of the batch norm; see BatchNorm.
    """

    def __init__(
        self, width: int, reduction: int = 8, momentum: float = 0.001, eps: float = 1e-3, scale: bool = True
    ) -> None:
        super().__init__()
        inner = max(1, width // reduction)
        self.squeeze = nn.Linear(width, inner, bias=False)
        self.norm = BatchNorm(inner, momentum, eps, scale)
        self.excite = nn.Linear(inner, width, bias=False)
        for layer in (self.squeeze, self.excite):
            nn.init.kaiming_normal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width) -> the same."""
        gates = torch.sigmoid(self.excite(F.relu(self.norm(self.squeeze(x)))))
        return x * gates
