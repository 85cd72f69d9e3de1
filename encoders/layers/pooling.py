"""A sequence of states -> one vector, over the valid frames only.

The papers' code divides by 300 and includes the zeros of the padding in the maximum; that is a bug, and
masked here (models.md section 5). All functions take states (B, T, H) and num_frames (B,), and give (B, H); a
video without frames gives zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn


def frame_mask(num_frames: Tensor, like: Tensor) -> Tensor:
    """Which frames are valid: (B, T) bool on the device of `like` (B, T, ...).

    Raises:
        ValueError: num_frames of a wrong shape, or out of [0, T] (checked on a CPU only: it would stall a
            GPU).
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
    index = mask.sum(1).sub(1).clamp_min(0)  # a video without frames gathers frame 0, and is set to 0 below
    chosen = states.gather(1, index[:, None, None].expand(-1, 1, states.shape[2]))[:, 0]
    return torch.where(mask.any(1)[:, None], chosen, 0)


def mean(states: Tensor, num_frames: Tensor) -> Tensor:
    """The mean over valid frames."""
    mask = frame_mask(num_frames, states)
    total = torch.where(mask[:, :, None], states, 0).sum(1)
    return total / mask.sum(1).clamp_min(1)[:, None].to(total.dtype)


def maximum(states: Tensor, num_frames: Tensor) -> Tensor:
    """The maximum over valid frames, per dimension."""
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
        scores = scores.to(
            torch.promote_types(scores.dtype, torch.float32)
        )  # bfloat16 would round the shares of frames
        if self.softmax:
            scores = torch.softmax(scores.masked_fill(~mask, torch.finfo(scores.dtype).min), dim=1)
        return torch.tanh((scores.to(states.dtype)[:, None] @ states)[:, 0])


FramePooling = Literal["last", "mean", "max", "attention", "raw_attention"]


class Running(NamedTuple):
    """The states so far, in a form that can be continued.

    value: (B, H): the last state; the sum; the maximum; for attention the sum of exp(score - best) * state,
        for raw_attention that of score * state.
    weight: (B,): the number of frames; for attention the sum of exp(score - best).
    best: (B,): for attention the highest score, so that nothing overflows; else unused.
    """

    value: Tensor
    weight: Tensor
    best: Tensor


def nothing_yet(kind: FramePooling, like: Tensor) -> Running:
    """The state before the first frame; `like` is (B, T, H)."""
    lowest = torch.finfo(like.dtype).min
    value = like.new_full((like.shape[0], like.shape[2]), lowest if kind == "max" else 0)
    return Running(value, like.new_zeros(len(like)), like.new_full((len(like),), lowest))


def add(
    kind: FramePooling, running: Running, states: Tensor, mask: Tensor, attention: Tensor | None = None
) -> Running:
    """Add states (B, T, H) of further frames; mask (B, T) bool is True on valid frames, which come first.

    `attention` is the weight (1, H) of AttentionPooling, for both kinds of attention.
    """
    value, weight, best = running
    frames, states = mask.sum(1), torch.where(mask[:, :, None], states, 0)
    if kind == "attention":
        assert attention is not None
        return _attend(running, states, mask, attention)
    if kind == "raw_attention":
        assert attention is not None
        scores = torch.tanh(states) @ attention.to(states.dtype)[0]
        value = value + (scores[:, None] @ states)[:, 0]
    elif kind == "last":  # the value so far is state 0, so that a chunk without frames chooses it
        steps = torch.cat([value[:, None], states], dim=1)
        value = steps.gather(1, frames[:, None, None].expand(-1, 1, states.shape[2]))[:, 0]
    elif kind == "mean":
        value = value + states.sum(1)
    else:
        padding = ~mask[:, :, None]
        lowest = torch.finfo(states.dtype).min
        value = torch.cat([value[:, None], states.masked_fill(padding, lowest)], dim=1).amax(1)
    return Running(value, weight + frames, best)


def result(kind: FramePooling, running: Running) -> Tensor:
    """(B, H): the pooling `kind` of all states so far; zeros if there were none."""
    value, weight, _ = running
    if kind in ("mean", "attention"):
        value = value / torch.where(weight > 0, weight, 1)[:, None]
    value = torch.where(weight[:, None] > 0, value, 0)
    return torch.tanh(value) if kind in ("attention", "raw_attention") else value


def _attend(running: Running, states: Tensor, mask: Tensor, attention: Tensor) -> Running:
    """A softmax over a growing row: when a higher score comes, all sums so far are rescaled to it."""
    padding = ~mask
    scores = torch.tanh(states) @ attention.to(states.dtype)[0]
    scores = scores.masked_fill(padding, torch.finfo(scores.dtype).min)
    best = torch.cat([running.best[:, None], scores], dim=1).amax(1)
    before = torch.exp(running.best - best)
    shares = torch.exp(scores - best[:, None]).masked_fill(padding, 0)
    value = running.value * before[:, None] + (shares[:, None] @ states)[:, 0]
    return Running(value, running.weight * before + shares.sum(1), best)


def self_weighted_mean(states: Tensor, num_frames: Tensor) -> Tensor:
    """sum_t |x_t| x_t / sum_t |x_t| over the valid frames, per dimension; 0 where all values are 0."""
    states = torch.where(frame_mask(num_frames, states)[:, :, None], states, 0)
    weights = states.abs()
    total, weight = (weights * states).sum(1), weights.sum(1)
    # Not clamp_min: where the weight is 0 the gradient must be 0 too, not huge.
    return torch.where(weight > 0, total / torch.where(weight > 0, weight, 1), 0)


BUDGET = 2**26  # values of one intermediate result: 256 MiB of float32


def by_chunks(
    pool: Callable[[Tensor, Tensor], Tensor], frames: Tensor, num_frames: Tensor, width: int
) -> Tensor:
    """pool(frames, num_frames) in chunks of videos, for evaluation, where no video depends on another.

    `width` is the largest number of values that `pool` computes per frame: it decides how many videos fit.
    """
    videos = max(1, BUDGET // max(1, frames.shape[1] * width))
    if len(frames) <= videos:
        return pool(frames, num_frames)
    parts = zip(torch.split(frames, videos), torch.split(num_frames, videos), strict=True)
    return torch.cat([pool(some, lengths) for some, lengths in parts])
