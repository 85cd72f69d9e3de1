"""torch.nn.LSTM in float32 on batches padded to the longest video, as in every tutorial."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from encoders import LSTMEncoder
from encoders.layers.lstm_layer import LSTMLayer


class PaddedLSTM(nn.Module):
    """(B, T, inputs), (B,) -> the state of the last layer at each video's last frame (B, sizes[-1])."""

    def __init__(self, inputs: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        widths = zip((inputs, *sizes), sizes, strict=False)
        self.layers = nn.ModuleList(nn.LSTM(below, size, batch_first=True) for below, size in widths)

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        for layer in self.layers:
            frames = layer(frames)[0]
        return frames[torch.arange(len(frames)), num_frames - 1]


@torch.no_grad()
def with_weights_of(ours: LSTMEncoder) -> PaddedLSTM:
    """A padded one that computes the same."""
    padded = PaddedLSTM(ours.input_dim, ours.config.sizes)
    for one, other in zip(ours.layers, padded.layers, strict=True):
        assert isinstance(one, LSTMLayer)
        assert isinstance(other, nn.LSTM)
        weights = (one.weight_input, one.weight_state, one.bias, torch.zeros_like(one.bias))
        for mine, theirs in zip(weights, other.parameters(), strict=True):
            theirs.copy_(mine)
    return padded.train(ours.training)
