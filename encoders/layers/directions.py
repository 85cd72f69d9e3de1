"""Bidirectional layers on videos of different lengths."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from encoders.layers import pooling
from encoders.layers.recurrent import RecurrentConfig


@dataclass(frozen=True)
class BidirectionalConfig(RecurrentConfig):
    """Options of encoders whose states are a forward and a backward one, concatenated."""

    @property
    def width(self) -> int:
        """Width of a pooled state: the papers' "2048" is 1024 per direction."""
        return 2 * self.sizes[-1]


class Reversal:
    """Reverses the valid frames of each video and leaves the padding in place; its own inverse.

    Args:
        num_frames: (B,) integers in [0, T].
        like: (B, T, ...); gives B, T and the device.
    """

    def __init__(self, num_frames: Tensor, like: Tensor) -> None:
        mask = pooling.frame_mask(num_frames, like)
        videos, frames = mask.shape
        time = torch.arange(frames, device=like.device)
        source = torch.where(mask, mask.sum(1)[:, None] - 1 - time, time)
        start = torch.arange(videos, device=like.device)[:, None] * frames
        self._rows = (start + source).flatten()  # of (B * T, ...): copying whole rows is the fastest way

    def __call__(self, x: Tensor) -> Tensor:
        """(B, T, H) -> the same; x[b, t] becomes x[b, num_frames[b] - 1 - t] for t < num_frames[b]."""
        return x.flatten(0, 1).index_select(0, self._rows).view(x.shape)


def final_states(states: Tensor, num_frames: Tensor) -> Tensor:
    """The last state of each direction: forward at the last valid frame, backward at frame 0.

    States (B, T, 2 H), forward then backward, both in the order of time -> (B, 2 H); zeros without frames.
    """
    forward, backward = states.chunk(2, dim=2)
    at_frame_0 = pooling.last(backward, num_frames.clamp(max=1))
    return torch.cat([pooling.last(forward, num_frames), at_frame_0], dim=1)
