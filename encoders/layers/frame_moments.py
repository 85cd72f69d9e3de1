"""What the frames of a video are like, number by number: mean, deviation, extremes, how many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from encoders.layers import pooling

Statistic = Literal["mean", "std", "max", "min", "num_frames"]

FRAMES_UNIT = 300  # seconds of video that the starter code reads: counts become numbers of size 1


def frame_statistics(frames: Tensor, num_frames: Tensor, names: Sequence[Statistic]) -> Tensor:
    """Statistics over the valid frames, one after another.

    Args:
        frames: (B, T, D) floating point; T > 0 for "max" and "min".
        num_frames: (B,) integers in [0, T].
        names: which, in this order; "num_frames" is one number a video, the others are D.

    Returns:
        (B, statistics_width(D, names)) in the type of `frames`, computed at least in float32; zeros for a
        video without frames.
    """
    x = frames.to(torch.promote_types(frames.dtype, torch.float32))
    found = [_STATISTICS[name](x, num_frames) for name in names]
    return torch.cat(found, dim=1).to(frames.dtype)


def statistics_width(dim: int, names: Sequence[Statistic]) -> int:
    """Numbers that `frame_statistics` gives for frames of `dim` numbers."""
    return sum(1 if name == "num_frames" else dim for name in names)


def deviation(x: Tensor, num_frames: Tensor) -> Tensor:
    """Standard deviation of the valid frames as a population: (B, T, D), (B,) -> (B, D).

    0 for a single frame, where the gradient is 0 too and not that of the root.
    """
    mask = pooling.frame_mask(num_frames, x)[:, :, None]
    centred = torch.where(mask, x, 0) - pooling.mean(x, num_frames)[:, None]
    variance = pooling.mean(centred.square(), num_frames)
    varies = variance > 0
    return torch.where(varies, torch.where(varies, variance, 1).sqrt(), 0)


def _minimum(x: Tensor, num_frames: Tensor) -> Tensor:
    return -pooling.maximum(-x, num_frames)


def _count(x: Tensor, num_frames: Tensor) -> Tensor:
    count = pooling.frame_mask(num_frames, x).sum(1, keepdim=True)
    return count.to(x.dtype) / FRAMES_UNIT


_STATISTICS: dict[Statistic, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": pooling.mean,
    "std": deviation,
    "max": pooling.maximum,
    "min": _minimum,
    "num_frames": _count,
}
