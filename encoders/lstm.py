"""Stacked LSTM over the frames, pooled to one vector.

Source: Garg 2018 (see residual_cnn.py) section 4.1, Eq. 1-6 (Eq. 5 misprints an extra sigmoid around c_t) and
8-10; Tables 2 and 4: "LSTM 2 layer 1280, 640" is the default.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from encoders.layers.directions import BidirectionalConfig, Reversal, final_states
from encoders.layers.lstm_layer import BiLSTMLayer, check_residual, in_turn, lstm_layers
from encoders.layers.recurrent import RecurrentConfig, RecurrentEncoder
from encoders.options import positive
from encoders.registry import register


@dataclass(frozen=True)
class LSTMConfig(RecurrentConfig):
    """Options of LSTMEncoder.

    Args:
        sizes: width of each layer. Empty: (2 * dim, dim), with dim 640 unless it is given.
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

    title = "LSTM"
    residual: ClassVar[bool] = False
    layers: nn.ModuleList

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__(config, lstm_layers(config))

    def states(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        # Padding comes last and nothing flows back in time, so `num_frames` is not needed.
        return in_turn(self.layers, frames, self.between, self.residual)


@dataclass(frozen=True)
class ResidualLSTMConfig(RecurrentConfig):
    """Options of ResidualLSTMEncoder.

    Args:
        sizes: width of each layer; at least 3, equal below the last one.
    """

    sizes: tuple[int, ...] = (1024, 1024, 1024)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_residual(self.sizes)


@register("residual_lstm", ResidualLSTMConfig)
class ResidualLSTMEncoder(LSTMEncoder):
    """in_3 = out_1 + out_2, and so on for further layers: in_n = out_(n-1) + out_(n-2); no other skip."""

    title = "Residual LSTM"
    residual: ClassVar[bool] = True


@dataclass(frozen=True)
class BiLSTMConfig(BidirectionalConfig):
    """Options of BiLSTMEncoder.

    Args:
        sizes: width of each layer, of each direction.
    """

    sizes: tuple[int, ...] = (1024,)


@register("bilstm", BiLSTMConfig)
class BiLSTMEncoder(RecurrentEncoder):
    """The backward stack starts at the last valid frame of each video."""

    title = "BiLSTM"
    both_ways = True
    config: BiLSTMConfig
    layers: nn.ModuleDict

    def __init__(self, config: BiLSTMConfig) -> None:
        stacks = nn.ModuleDict({"ahead": lstm_layers(config), "back": lstm_layers(config)})
        super().__init__(config, stacks, final_states)

    def states(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        reverse = Reversal(num_frames, frames)
        ahead = in_turn(self.layers["ahead"].children(), frames, self.between)
        back = in_turn(self.layers["back"].children(), reverse(frames), self.between)
        return torch.cat([ahead, reverse(back)], dim=2)


@dataclass(frozen=True)
class StackedBiLSTMConfig(BidirectionalConfig):
    """Options of StackedBiLSTMEncoder.

    Args:
        sizes: width of each layer, of each direction.
        between: how the directions are joined before the next layer: "sum" ("pooled" in the text) or
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

    title = "Stacked BiLSTM"
    both_ways = True
    config: StackedBiLSTMConfig
    layers: nn.ModuleList

    def __init__(self, config: StackedBiLSTMConfig) -> None:
        super().__init__(config, nn.ModuleList(_layers(config)), final_states)

    def states(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        reverse = Reversal(num_frames, frames)
        layers = [partial(layer, reverse=reverse) for layer in self.layers]
        return in_turn(layers, frames, self.between, self.config.residual)


def _layers(config: StackedBiLSTMConfig) -> Iterator[BiLSTMLayer]:
    inputs, (*lower, top) = config.input_dim, config.sizes
    for size in lower:
        yield BiLSTMLayer(inputs, size, config.between, config.forget_bias)
        inputs = size if config.between == "sum" else 2 * size
    yield BiLSTMLayer(inputs, top, "concatenate", config.forget_bias)
