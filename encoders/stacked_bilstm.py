"""Bidirectional LSTM layers one on the other: each reads both directions of the one below.

Source: Garg 2018 (see residual_cnn.py) section 4.1; Table 2: "Stacked BiLSTM 2 layer, 2048" is the
default; "3 layer, res3, 1024" has sizes (512, 512, 512), between "concatenate" and residual true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import Tensor, nn

from encoders.layers.bilstm_layer import BiLSTMLayer
from encoders.layers.directions import BidirectionalConfig, Reversal, final_states
from encoders.layers.layer_stack import check_residual, in_turn
from encoders.layers.recurrent import RecurrentEncoder
from encoders.registry import register


@dataclass(frozen=True)
class StackedBiLSTMConfig(BidirectionalConfig):
    """Options of StackedBiLSTMEncoder.

    Args:
        sizes: width of each layer, of each direction.
        between: how the directions meet before the next layer: "sum" ("pooled" in the text) or
            "concatenate". After the last layer they are always concatenated.
        residual: from the third layer on, in_n = out_(n-1) + out_(n-2); needs 3 layers or more, with equal
            sizes below the last one.
    """

    sizes: tuple[int, ...] = (1024, 1024)
    between: Literal["sum", "concatenate"] = "sum"
    residual: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.residual:
            check_residual(self.sizes)


@register("stacked_bilstm", StackedBiLSTMConfig)
class StackedBiLSTMEncoder(RecurrentEncoder):
    """Every layer's backward half starts at the last valid frame of each video."""

    config: StackedBiLSTMConfig
    layers: nn.ModuleList

    def __init__(self, config: StackedBiLSTMConfig) -> None:
        super().__init__(config, nn.ModuleList(_layers(config)), final_states)

    def states(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """Forward then backward, of the last layer."""
        reverse = Reversal(num_frames, frames)
        layers = [partial(layer, reverse=reverse) for layer in self.layers]
        return in_turn(layers, frames, self.between, self.config.residual)


def _layers(config: StackedBiLSTMConfig) -> Iterator[BiLSTMLayer]:
    inputs, (*lower, top) = config.input_dim, config.sizes
    for size in lower:
        yield BiLSTMLayer(inputs, size, config.between, config.forget_bias)
        inputs = size if config.between == "sum" else 2 * size
    yield BiLSTMLayer(inputs, top, "concatenate", config.forget_bias)
