"""The pooling of pooling.py for states that come in chunks: what is kept is one vector a video."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

FramePooling = Literal["last", "mean", "max", "attention", "raw_attention"]


class Running(NamedTuple):
    """The states seen so far, summed up.

    value: (B, H): the last state; the sum; the maximum; for attention the sum of exp(score - best) * state,
        for raw_attention that of score * state.
    weight: (B,): the number of frames; for attention the sum of exp(score - best).
    best: (B,): for attention the highest score, so that nothing overflows; else unused.
    """

    value: Tensor
    weight: Tensor
    best: Tensor


def nothing_yet(kind: FramePooling, like: Tensor) -> Running:
    """Before the first frame; `like` is (B, T, H) of the states to come."""
    lowest = torch.finfo(like.dtype).min
    value = like.new_full((like.shape[0], like.shape[2]), lowest if kind == "max" else 0)
    return Running(value, like.new_zeros(len(like)), like.new_full((len(like),), lowest))


def add(
    kind: FramePooling, running: Running, states: Tensor, mask: Tensor, attention: Tensor | None = None
) -> Running:
    """Take in more states.

    Args:
        kind: as in the functions of pooling.py.
        running: of the frames before.
        states: (B, T, H).
        mask: (B, T) bool, True on valid frames, which come first.
        attention: the weight (1, H) of AttentionPooling, for both kinds of attention.
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
    """(B, H): what the functions of pooling.py give for all states so far; zeros where there were none."""
    value, weight, _ = running
    if kind in ("mean", "attention"):
        value = value / torch.where(weight > 0, weight, 1)[:, None]
    value = torch.where(weight[:, None] > 0, value, 0)
    return torch.tanh(value) if kind in ("attention", "raw_attention") else value


def _attend(running: Running, states: Tensor, mask: Tensor, attention: Tensor) -> Running:
    """A softmax over a growing row: all sums so far are scaled when a higher score comes."""
    padding = ~mask
    scores = torch.tanh(states) @ attention.to(states.dtype)[0]
    scores = scores.masked_fill(padding, torch.finfo(scores.dtype).min)
    best = torch.cat([running.best[:, None], scores], dim=1).amax(1)
    before = torch.exp(running.best - best)
    shares = torch.exp(scores - best[:, None]).masked_fill(padding, 0)
    value = running.value * before[:, None] + (shares[:, None] @ states)[:, 0]
    return Running(value, running.weight * before + shares.sum(1), best)
