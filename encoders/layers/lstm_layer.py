"""One LSTM layer with one bias vector, on torch's fast kernels.

torch.nn.LSTM keeps two bias vectors, which are only added; the papers' cell has one: 4 H (I + H + 1)
parameters, 8.917 M for 1152 -> 1024.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from encoders.layers.directions import Reversal
from encoders.layers.recurrent import RecurrentConfig


class LSTMLayer(nn.Module):
    """Standard LSTM cell over time, from zero states.

    `weight_input` (4H, I), `weight_state` (4H, H), `bias` (4H,); torch's order of gates: input, forget, cell,
    output.

    Args:
        inputs: I.
        size: H.
        forget_bias: initial bias of the forget gate; the other biases start at 0.
    """

    def __init__(self, inputs: int, size: int, forget_bias: float = 1.0) -> None:
        super().__init__()
        self.size = size
        whole = torch.empty(4 * size, inputs + size)  # TensorFlow's cell has one kernel over [input, state]
        nn.init.xavier_uniform_(whole)
        self.weight_input = nn.Parameter(whole[:, :inputs].clone())
        self.weight_state = nn.Parameter(whole[:, inputs:].clone())
        self.bias = nn.Parameter(torch.zeros(4 * size))
        with torch.no_grad():
            self.bias[size : 2 * size] = forget_bias

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, I) -> states (B, T, H), in autocast's type if that is on and no gradient is needed."""
        if x.shape[0] == 0 or x.shape[1] == 0:  # torch.lstm refuses empty input
            return x.new_zeros(x.shape[0], x.shape[1], self.size)
        device, dtype = x.device.type, self._compute_type(x.device.type)
        weights = [w.to(dtype) for w in (self.weight_input, self.weight_state, self.bias)]
        weights.append(torch.zeros_like(weights[-1]))  # torch.lstm wants two biases
        start = x.new_zeros(1, x.shape[0], self.size, dtype=dtype)
        with torch.autocast(device, enabled=False):
            states, _, _ = torch.lstm(
                x.to(dtype), (start, start), weights, True, 1, 0.0, self.training, False, True
            )
        return states

    def _compute_type(self, device: str) -> torch.dtype:
        """torch.lstm ignores autocast on the CPU, so its type is chosen here.

        There bfloat16 halves the time of the forward pass, but a training step takes 1.2 times as long as in
        float32, since the backward pass takes 1.6 times as long.
        """
        for_gradient = device == "cpu" and torch.is_grad_enabled() and self.bias.requires_grad
        if for_gradient or not torch.is_autocast_enabled(device):
            return self.bias.dtype
        return torch.get_autocast_dtype(device)


Join = Literal["sum", "concatenate"]


class BiLSTMLayer(nn.Module):
    """An LSTM layer in each direction; the states of a frame are joined.

    `size` is H of each direction; join "sum" gives (B, T, H), "concatenate" forward then backward, (B, T, 2
    H).
    """

    def __init__(self, inputs: int, size: int, join: Join, forget_bias: float = 1.0) -> None:
        super().__init__()
        self.ahead = LSTMLayer(inputs, size, forget_bias)
        self.back = LSTMLayer(inputs, size, forget_bias)
        self.join = join

    def forward(self, x: Tensor, reverse: Reversal) -> Tensor:
        """(B, T, I), and the reversal of the batch -> (B, T, H or 2 H), in the order of time."""
        ahead, back = self.ahead(x), reverse(self.back(reverse(x)))
        return ahead + back if self.join == "sum" else torch.cat([ahead, back], dim=2)


Layer = Callable[[Tensor], Tensor]


def lstm_layers(config: RecurrentConfig) -> nn.ModuleList:
    """An LSTM layer for each of `config.sizes`, reading the one below; the first reads the frames."""
    widths = pairwise([config.input_dim, *config.sizes])
    return nn.ModuleList(LSTMLayer(below, size, config.forget_bias) for below, size in widths)


def in_turn(layers: Iterable[Layer], frames: Tensor, between: Layer, residual: bool = False) -> Tensor:
    """The states (B, T, H) of the last of `layers`; `between` (dropout) is applied to all other outputs.

    With `residual`, in_n = out_(n-1) + out_(n-2) from the third layer on (the paper: in_3 = out_1 + out_2).
    No other skip: layer 2 reads out_1 alone, and nothing is added to the last output.
    """
    *lower, top = layers
    read, below = frames, None
    for layer in lower:
        output = between(layer(read))
        read = output + below if residual and below is not None else output
        below = output
    return top(read)


def check_residual(sizes: Sequence[int]) -> None:
    """ValueError unless there are residual connections, between layers of one width."""
    if len(sizes) < 3:
        raise ValueError(f"residual connections start at layer 3, so they need 3 sizes or more, not {sizes}")
    if len(set(sizes[:-1])) > 1:
        raise ValueError(f"residual connections need equal sizes below the last layer, not {sizes}")
