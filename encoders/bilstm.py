"""Two independent LSTM stacks, forward and backward in time, concatenated.

Source: Garg 2018 (see residual_cnn.py) section 4.1, Fig. 4; Table 2: "BiLSTM 1 layer, 2048" is the default,
"2 layer, 2048" has sizes (1024, 1024) and "3 layer, 1024" (512, 512, 512). The directions meet after the last
layer only; in stacked_bilstm.py they meet after each one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from encoders.layers.directions import BidirectionalConfig, Reversal, final_states
from encoders.layers.layer_stack import in_turn, lstm_layers
from encoders.layers.recurrent import RecurrentEncoder
from encoders.registry import register


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

    config: BiLSTMConfig
    layers: nn.ModuleDict

    def __init__(self, config: BiLSTMConfig) -> None:
        stacks = nn.ModuleDict({"ahead": lstm_layers(config), "back": lstm_layers(config)})
        super().__init__(config, stacks, final_states)

    def states(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """Forward then backward, of the last layers."""
        reverse = Reversal(num_frames, frames)
        ahead = in_turn(self.layers["ahead"].children(), frames, self.between)
        back = in_turn(self.layers["back"].children(), reverse(frames), self.between)
        return torch.cat([ahead, reverse(back)], dim=2)
