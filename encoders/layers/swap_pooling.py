"""Self-weighted average pooling ("swap"), between the mean and the maximum.

Source: Google's DBoF (tensorflow/models, official/projects/yt8m, `frame_swap`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from encoders.layers.pooling import frame_mask


def self_weighted_mean(states: Tensor, num_frames: Tensor) -> Tensor:
    """sum_t |x_t| x_t / sum_t |x_t| over the valid frames, of each number by itself.

    Args:
        states: (B, T, H).
        num_frames: (B,) integers in [0, T].

    Returns:
        (B, H); 0 where all numbers are 0, or a video has no frames.

    Raises:
        ValueError: num_frames of a wrong shape or out of range.
    """
    states = torch.where(frame_mask(num_frames, states)[:, :, None], states, 0)
    weights = states.abs()
    total, weight = (weights * states).sum(1), weights.sum(1)
    # Not a clamp of the weight: where it is 0 the gradient must be 0 too, not huge.
    return torch.where(weight > 0, total / torch.where(weight > 0, weight, 1), 0)
