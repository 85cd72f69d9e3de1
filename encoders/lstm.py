"""Stacked LSTM over the frames, pooled to one vector.

Source: Garg 2018 (see residual_cnn.py) section 4.1, Eq. 1-6 (Eq. 5 misprints an extra sigmoid around c_t) and
8-10; Tables 2 and 4: "LSTM 2 layer 1280, 640" is the default for dim 640.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from encoders.encoder import Encoder, EncoderConfig
from encoders.layers import pooling
from encoders.layers.lstm_layer import LSTMLayer
from encoders.options import positive
from encoders.registry import register


@dataclass(frozen=True)
class LSTMConfig(EncoderConfig):
    """Options of LSTMEncoder.

    Args:
        sizes: width of each layer; the last must be dim. Empty: (2 * dim, dim).
        pooling: "last" valid state (papers' default), "mean", "max" or "attention" over the valid frames.
        forget_bias: where the forget gate's bias starts; papers 1.
    """

    dim: int = 640
    sizes: tuple[int, ...] = ()
    pooling: Literal["last", "mean", "max", "attention"] = "last"
    forget_bias: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sizes", tuple(self.sizes) or (2 * self.dim, self.dim))
        positive(**{f"sizes[{index}]": size for index, size in enumerate(self.sizes)})
        if self.sizes[-1] != self.dim:
            raise ValueError(f"the last of sizes {self.sizes} must be dim = {self.dim}")


@register("lstm", LSTMConfig)
class LSTMEncoder(Encoder):
    """Layers of any width, then masked pooling. Nothing flows back in time, so padding needs no packing."""

    level = "frame"
    config: LSTMConfig

    def __init__(self, config: LSTMConfig) -> None:
        super().__init__(config)
        widths = [config.input_dim, *config.sizes]
        pairs = zip(widths, config.sizes, strict=False)
        self.layers = nn.ModuleList(LSTMLayer(before, after, config.forget_bias) for before, after in pairs)
        self.pool = _pool(config)

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, dim)."""
        self.check_input(frames)
        states = frames
        for layer in self.layers:
            states = layer(states)
        return self.pool(states, num_frames)


def _pool(config: LSTMConfig) -> Callable[[Tensor, Tensor], Tensor]:
    if config.pooling == "attention":
        return pooling.AttentionPooling(config.dim)
    return {"last": pooling.last, "mean": pooling.mean, "max": pooling.maximum}[config.pooling]
