"""One bidirectional LSTM layer over videos of different lengths."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from encoders.layers.directions import Reversal
from encoders.layers.lstm_layer import LSTMLayer

Join = Literal["sum", "concatenate"]


class BiLSTMLayer(nn.Module):
    """Two LSTM layers, one of them from the last valid frame to the first; both states of a frame joined.

    Args:
        inputs: I.
        size: H, of a direction.
        join: "sum" (B, T, H), or "concatenate": forward then backward, (B, T, 2 H).
        forget_bias: see `LSTMLayer`.
    """

    def __init__(self, inputs: int, size: int, join: Join, forget_bias: float = 1.0) -> None:
        super().__init__()
        self.ahead = LSTMLayer(inputs, size, forget_bias)
        self.back = LSTMLayer(inputs, size, forget_bias)
        self.join = join

    def forward(self, x: Tensor, reverse: Reversal) -> Tensor:
        """(B, T, I), and the order of the batch's frames -> (B, T, H or 2 H), in the order of time."""
        ahead, back = self.ahead(x), reverse(self.back(reverse(x)))
        joined: Tensor = ahead + back if self.join == "sum" else torch.cat([ahead, back], dim=2)
        return joined
