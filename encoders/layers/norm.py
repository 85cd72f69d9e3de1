"""Batch norm as in the papers' code: shift without scale; a training batch of one video is no error."""

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
        # One value per channel has no variance: use the running statistics, without updating them.
        by_batch = self.training and x.numel() > x.shape[1]
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, by_batch, self.momentum, self.eps
        )


def norm_without_shift(channels: int, momentum: float, eps: float, scale: bool) -> BatchNorm:
    """BatchNorm without its learned shift, for the input of a linear layer that is followed by a norm.

    That norm removes any shift, so the shift's gradient would be rounding errors, which Adam scales up to
    steps of full size.
    """
    norm = BatchNorm(channels, momentum, eps, scale)
    norm.register_parameter("bias", None)
    return norm


class MaskedBatchNorm(nn.Module):
    """Normalise each channel of (B, T, C) over the valid frames of all videos.

    As in BatchNorm, a training batch with fewer than two valid frames uses the running statistics. Counting
    the valid frames stalls a GPU once per training step. Arguments as BatchNorm's; `shift`: learn a shift
    (beta) too.
    """

    def __init__(
        self,
        channels: int,
        momentum: float = 0.001,
        eps: float = 1e-3,
        scale: bool = False,
        shift: bool = True,
    ) -> None:
        super().__init__()
        make = BatchNorm if shift else norm_without_shift
        self.norm = make(channels, momentum, eps, scale)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, C), mask (B, T) bool, true where a frame is real -> (B, T, C), 0 on padding.

        Raises:
            ValueError: a mask of another shape or type.
        """
        if mask.shape != x.shape[:2] or mask.dtype != torch.bool:
            raise ValueError(f"mask must be {tuple(x.shape[:2])} bool, not {tuple(mask.shape)} {mask.dtype}")
        rows = x.flatten(0, 1)
        if not self.training:
            normed: Tensor = self.norm(rows)
            return torch.where(mask[:, :, None], normed.view(x.shape), 0)
        valid = mask.flatten().nonzero()[:, 0]
        if len(valid) == len(rows):
            whole: Tensor = self.norm(rows)
            return whole.view(x.shape)
        normed = self.norm(rows.index_select(0, valid))
        # index_select and index_copy: their gradients are plain copies of rows, unlike those of a mask.
        return normed.new_zeros(rows.shape).index_copy(0, valid, normed).view(x.shape)
