"""Recurrent layers one on the other, with the papers' residual connections or without."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from torch import Tensor, nn

from encoders.layers.lstm_layer import LSTMLayer
from encoders.layers.recurrent import RecurrentConfig

Layer = Callable[[Tensor], Tensor]


def lstm_layers(config: RecurrentConfig) -> nn.ModuleList:
    """An LSTM layer for each of `config.sizes`, reading the one below; the first reads the frames."""
    widths = pairwise([config.input_dim, *config.sizes])
    return nn.ModuleList(LSTMLayer(below, size, config.forget_bias) for below, size in widths)


def in_turn(layers: Iterable[Layer], frames: Tensor, between: Layer, residual: bool = False) -> Tensor:
    """The states (B, T, H) of the last layer.

    Args:
        layers: at least one, each (B, T, inputs) -> (B, T, outputs).
        frames: (B, T, inputs) of the first.
        between: what is done to the output of every layer but the last (dropout).
        residual: from the third layer on, in_n = out_(n-1) + out_(n-2), where the paper has in_3 = out_1 +
            out_2. No other skip: layer 2 reads out_1 alone, and nothing is added to the last output.
    """
    *lower, top = layers
    read, below = frames, None
    for layer in lower:
        output = between(layer(read))
        read = output + below if residual and below is not None else output
        below = output
    return top(read)


def check_residual(sizes: Sequence[int]) -> None:
    """ValueError unless residual connections exist, and add outputs of one width."""
    if len(sizes) < 3:
        raise ValueError(f"residual connections start at layer 3, so they need 3 sizes or more, not {sizes}")
    if len(set(sizes[:-1])) > 1:
        raise ValueError(f"residual connections need equal sizes below the last layer, not {sizes}")
