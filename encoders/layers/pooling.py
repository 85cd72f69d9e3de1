"""A sequence of states -> one vector, over the valid frames only.

The papers' code divides by 300 and takes the maximum with padding's zeros; that is a bug, and masked here
(models.md section 5). All functions take states (B, T, H) and num_frames (B,), and give (B, H); a video
without frames gives zeros.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def frame_mask(num_frames: Tensor, like: Tensor) -> Tensor:
    """Which frames are real.

    Args:
        num_frames: (B,) integers in [0, T], on any device.
        like: (B, T, ...); gives B, T and the device.

    Returns:
        (B, T) bool on the device of `like`.

    Raises:
        ValueError: wrong shape; out of [0, T] (seen on the CPU only: looking at a GPU's would stall it).
    """
    batch, frames = like.shape[:2]
    if num_frames.shape != (batch,) or num_frames.is_floating_point():
        found = f"{tuple(num_frames.shape)} {num_frames.dtype}"
        raise ValueError(f"num_frames must be ({batch},) integers, not {found}")
    if num_frames.device.type == "cpu" and bool(((num_frames < 0) | (num_frames > frames)).any()):
        low, high = int(num_frames.min()), int(num_frames.max())
        raise ValueError(f"num_frames must be in [0, {frames}], the frames given; found {low} to {high}")
    return torch.arange(frames, device=like.device) < num_frames.to(like.device)[:, None]


def last(states: Tensor, num_frames: Tensor) -> Tensor:
    """The state at the last valid frame."""
    mask = frame_mask(num_frames, states)
    index = mask.sum(1).sub(1).clamp_min(0)
    chosen = states.gather(1, index[:, None, None].expand(-1, 1, states.shape[2]))[:, 0]
    return torch.where(mask.any(1)[:, None], chosen, 0)


def mean(states: Tensor, num_frames: Tensor) -> Tensor:
    """The mean over valid frames."""
    mask = frame_mask(num_frames, states)
    total = torch.where(mask[:, :, None], states, 0).sum(1)
    return total / mask.sum(1).clamp_min(1)[:, None].to(total.dtype)


def maximum(states: Tensor, num_frames: Tensor) -> Tensor:
    """The maximum over valid frames, of each number by itself."""
    mask = frame_mask(num_frames, states)
    highest = torch.where(mask[:, :, None], states, torch.finfo(states.dtype).min).amax(1)
    return torch.where(mask.any(1)[:, None], highest, 0)


class AttentionPooling(nn.Module):
    """Eq. 8-10: I = tanh(H); w = softmax(I W_a) over the valid frames; F = tanh(sum_t w_t H_t).

    The papers' code leaves the softmax out, w = I W_a, and puts an L2 of 0.5 on W_a.

    Args:
        dim: H.
        softmax: as the text; False is the code's variant.
    """

    def __init__(self, dim: int, softmax: bool = True) -> None:
        super().__init__()
        self.softmax = softmax
        self.weight = nn.Parameter(torch.empty(1, dim))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, states: Tensor, num_frames: Tensor) -> Tensor:
        mask = frame_mask(num_frames, states)
        states = torch.where(mask[:, :, None], states, 0)
        scores = torch.tanh(states) @ self.weight.to(states.dtype)[0]
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))  # half is too rough here
        if self.softmax:
            scores = torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), dim=1)
        return torch.tanh((scores.to(states.dtype)[:, None] @ states)[:, 0])
