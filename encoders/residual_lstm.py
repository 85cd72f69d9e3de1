"""Stacked LSTM with residual connections.

Source: Garg 2018 (see residual_cnn.py) section 4.1, Fig. 3; Table 2: "LSTM 3 layer, res3, 1024" is the
default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from encoders.layers.layer_stack import check_residual
from encoders.layers.recurrent import RecurrentConfig
from encoders.lstm import LSTMEncoder
from encoders.registry import register


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

    residual: ClassVar[bool] = True
