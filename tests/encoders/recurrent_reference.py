"""The recurrent encoders written out: one video, one frame, one cell at a time.

Nothing here comes from `encoders`: weights are read by their names in the state dict, a video is a tensor
(n, input_dim) of its valid frames alone, states are tensors (n, H).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
Between = Callable[[Tensor], Tensor]


def chain(weights: Weights, name: str, frames: Tensor) -> Tensor:
    """Eq. 1-6 of the paper without the misprinted sigmoid of Eq. 5."""
    w_input, w_state, bias = (weights[f"{name}.{part}"] for part in ("weight_input", "weight_state", "bias"))
    h = c = w_state.new_zeros(w_state.shape[1])
    states = []
    for frame in frames:
        i, f, g, o = (w_input @ frame + w_state @ h + bias).chunk(4)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        states.append(h)
    return torch.stack(states)


def backward_chain(weights: Weights, name: str, frames: Tensor) -> Tensor:
    """From the last frame to the first; state n belongs to frame n."""
    return chain(weights, name, frames.flip(0)).flip(0)


def lstm(weights: Weights, sizes: tuple[int, ...], video: Tensor, between: Between) -> Tensor:
    states = chain(weights, "layers.0", video)
    for layer in range(1, len(sizes)):
        states = chain(weights, f"layers.{layer}", between(states))
    return states


def residual_lstm(weights: Weights, sizes: tuple[int, ...], video: Tensor, between: Between) -> Tensor:
    out = {1: chain(weights, "layers.0", video)}
    out[2] = chain(weights, "layers.1", between(out[1]))
    for n in range(3, len(sizes) + 1):
        out[n] = chain(weights, f"layers.{n - 1}", between(out[n - 1]) + between(out[n - 2]))
    return out[len(sizes)]


def bilstm(weights: Weights, sizes: tuple[int, ...], video: Tensor, between: Between) -> Tensor:
    ahead, back = video, video
    for layer in range(len(sizes)):
        ahead = chain(weights, f"layers.ahead.{layer}", between(ahead) if layer else ahead)
        back = backward_chain(weights, f"layers.back.{layer}", between(back) if layer else back)
    return torch.cat([ahead, back], dim=1)


def stacked_bilstm(
    weights: Weights, sizes: tuple[int, ...], video: Tensor, between: Between, join: str, residual: bool
) -> Tensor:
    outputs: list[Tensor] = []
    for layer in range(len(sizes)):
        read = between(outputs[-1]) if outputs else video
        if residual and layer >= 2:
            read = read + between(outputs[-2])
        ahead = chain(weights, f"layers.{layer}.ahead", read)
        back = backward_chain(weights, f"layers.{layer}.back", read)
        last = layer == len(sizes) - 1
        outputs.append(ahead + back if join == "sum" and not last else torch.cat([ahead, back], dim=1))
    return outputs[-1]


def pooled(states: Tensor, pooling: str, weights: Weights, directions: int) -> Tensor:
    """(n, H) -> (H,)."""
    if pooling == "last":
        half = states.shape[1] // 2
        return states[-1] if directions == 1 else torch.cat([states[-1, :half], states[0, half:]])
    if pooling in ("attention", "raw_attention"):  # Eq. 8-10; the papers' code has no softmax
        scores = torch.stack([weights["pool.weight"][0] @ torch.tanh(state) for state in states])
        shares = scores.exp() / scores.exp().sum() if pooling == "attention" else scores
        return torch.tanh(sum(share * state for share, state in zip(shares, states, strict=True)))
    return states.mean(0) if pooling == "mean" else states.max(0).values
