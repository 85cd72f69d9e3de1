"""Operations that a definition asks for; a multiplication with its addition counts two."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def forward_flops(module: nn.Module, *inputs: Tensor) -> float:
    """Of all linear layers, convolutions and LSTMs in one call of `module`, computed directly."""
    counted: list[float] = []

    def count(layer: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
        counted.append(_of_layer(layer, given[0], result))

    hooks = [
        layer.register_forward_hook(count)
        for layer in module.modules()
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.LSTM)
    ]
    try:
        with torch.inference_mode():
            module(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counted)


def _of_layer(layer: nn.Module, given: Tensor, result: Tensor | tuple[Tensor, ...]) -> float:
    if isinstance(layer, nn.LSTM):
        steps = given.shape[0] * given.shape[1]
        return 8.0 * steps * layer.hidden_size * (layer.input_size + layer.hidden_size)
    assert isinstance(result, Tensor)
    assert isinstance(layer, nn.Linear | nn.Conv1d)
    return 2.0 * result.numel() * layer.weight[0].numel()
