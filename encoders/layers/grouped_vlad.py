"""VLAD over groups of a frame's dimensions, with an attention gate per group (NeXtVLAD).

Source: Lin, Xiao, Fan 2018, NeXtVLAD: An Efficient Neural Network to Aggregate Frame-level Features for
Large-scale Video Classification, and its code (linrongc/youtube-8m, nextvlad.py).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.layers.norm import BatchNorm, MaskedBatchNorm
from encoders.layers.pooling import frame_mask


class ContextGating(nn.Module):
    """x * sigmoid(W2 relu(norm(W1 x))), without biases.

    Args:
        width: dimensions of x.
        reduction: the layer in between has width // reduction dimensions, at least 1.
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


SMALLEST_NORM = 1e-6  # sqrt of the 1e-12 in TensorFlow's l2_normalize


class GroupedVLAD(nn.Module):
    """Expands a frame, cuts it into groups, assigns each group softly to clusters that all groups share.

    v_k = sum over frames t and groups g of gate_tg * share_tgk * (x_tg - c_k), each then of unit length.

    Args:
        inputs: dimensions of a frame.
        expansion: lambda; a frame is expanded to expansion * inputs dimensions.
        groups: G, a divisor of expansion * inputs.
        clusters: K.
        momentum, eps, scale: of the batch norm on the assignments; see MaskedBatchNorm.

    Raises:
        ValueError: the expanded frame does not divide into the groups.
    """

    def __init__(
        self,
        inputs: int,
        expansion: int,
        groups: int,
        clusters: int,
        momentum: float = 0.001,
        eps: float = 1e-3,
        scale: bool = True,
    ) -> None:
        super().__init__()
        expanded = expansion * inputs
        if expanded % groups:
            raise ValueError(f"expansion * input_dim = {expanded} must be a multiple of groups = {groups}")
        self.groups, self.clusters, self.group_width = groups, clusters, expanded // groups
        self.expand = _he_linear(inputs, expanded, bias=True)
        self.gate = _he_linear(expanded, groups, bias=True)
        self.assign = _he_linear(expanded, groups * clusters, bias=False)
        self.assign_norm = MaskedBatchNorm(groups * clusters, momentum, eps, scale)
        self.centres = nn.Parameter(torch.empty(clusters, self.group_width))
        nn.init.kaiming_normal_(self.centres)

    @property
    def width(self) -> int:
        """Output dimensions: K * expansion * inputs / G."""
        return self.clusters * self.group_width

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, inputs), (B,) -> (B, K * expansion * inputs / G); zeros for a video without frames."""
        mask = frame_mask(num_frames, frames)
        # Padding may hold NaN, and a weight of 0 does not remove it: 0 * NaN is NaN.
        expanded = self.expand(torch.where(mask[:, :, None], frames, 0))
        weights = self._weights(expanded, mask)
        members = expanded.view(*_flat(mask, self.groups), self.group_width)
        # sum of w (x - c) = sum of w x - (sum of w) c: the residuals need no memory.
        total = weights.mT @ members
        residual = _at_least_single(total) - _at_least_single(weights.sum(1))[:, :, None] * self.centres
        # In float32 at least: squares of half-precision values vanish or overflow.
        return F.normalize(residual, dim=2, eps=SMALLEST_NORM).to(total.dtype).flatten(1)

    def _weights(self, expanded: Tensor, mask: Tensor) -> Tensor:
        """gate * share (B, T * G, K) of the expanded frames (B, T, G * D); 0 on padding."""
        members = _flat(mask, self.groups)
        gate = torch.where(mask[:, :, None], torch.sigmoid(self.gate(expanded)), 0)
        scores = self.assign_norm(self.assign(expanded), mask).view(*members, self.clusters)
        return torch.softmax(scores, dim=2) * gate.view(*members, 1)


def _flat(mask: Tensor, groups: int) -> tuple[int, int]:
    """B, and all groups of all frames: T * G."""
    return mask.shape[0], mask.shape[1] * groups


def _at_least_single(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _he_linear(inputs: int, outputs: int, bias: bool) -> nn.Linear:
    """He-normal weights, as the code's variance scaling; zero bias."""
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.kaiming_normal_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
