"""Stacked LSTM over the frames, pooled to one vector.

Source: Garg 2018 (see residual_cnn.py) section 4.1, Eq. 1-6 (Eq. 5 misprints an extra sigmoid around c_t) and
8-10; Tables 2 and 4: "LSTM 2 layer 1280, 640" is the default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from encoders.layers.layer_stack import in_turn, lstm_layers
from encoders.layers.recurrent import RecurrentConfig, RecurrentEncoder
from encoders.options import positive
from encoders.registry import register


@dataclass(frozen=True)
class LSTMConfig(RecurrentConfig):
    """Options of LSTMEncoder.

    Args:
        sizes: width of each layer. Empty: (2 * dim, dim), with a dim of 640 where it is not given either.
    """

    def __post_init__(self) -> None:
        if not self.sizes:
            dim = self.dim or 640
            positive(dim=dim)
            object.__setattr__(self, "sizes", (2 * dim, dim))
        super().__post_init__()


@register("lstm", LSTMConfig)
class LSTMEncoder(RecurrentEncoder):
    """Layers of any width, then masked pooling."""

    residual: ClassVar[bool] = False
    layers: nn.ModuleList

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config, lstm_layers(config))

    def states(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """Of the last layer. Nothing flows back in time, so `num_frames` is not needed."""
        return in_turn(self.layers, frames, self.between, self.residual)
