"""A small Transformer encoder over the frames, pooled to one vector.

Source: the conclusion of Garg 2018 (see residual_cnn.py) names it as future work; no paper gives sizes.
Blocks: layers/transformer_block.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from encoders.encoder import Encoder, EncoderConfig
from encoders.layers import pooling
from encoders.layers.dropout import Dropout
from encoders.layers.fully_connected import linear, output_projection
from encoders.layers.transformer_block import TransformerBlock, sinusoids
from encoders.options import fraction, pooled, positive, projected
from encoders.registry import register


@dataclass(frozen=True)
class TransformerConfig(EncoderConfig):
    """Options of TransformerEncoder.

    Args:
        dim: embedding size; 0, the default, is width; another adds a linear projection.
        layers: blocks, > 0.
        width: dimensions of a frame inside, even, a multiple of heads.
        heads: attention heads of each block, > 0.
        feed_forward: width of the blocks' feed-forward layers, as a multiple of width, > 0.
        positions: "sinusoidal", or "none": the order of the frames has no effect.
        pooling: "mean" over the valid frames, "max", "last" valid one, or "attention".
        dropout: dropout rate of the output of each part of a block, in [0, 1).
        embedding_dropout: dropout rate of the embedding, in [0, 1).
    """

    dim: int = 0
    layers: int = 2
    width: int = 512
    heads: int = 8
    feed_forward: int = 4
    positions: Literal["sinusoidal", "none"] = "sinusoidal"
    pooling: Literal["last", "mean", "max", "attention"] = "mean"
    dropout: float = 0.1
    embedding_dropout: float = 0.0

    def __post_init__(self) -> None:
        positive(layers=self.layers, width=self.width, heads=self.heads, feed_forward=self.feed_forward)
        object.__setattr__(self, "dim", self.dim or self.width)
        super().__post_init__()
        fraction(dropout=self.dropout, embedding_dropout=self.embedding_dropout)
        if self.width % 2 or self.width % self.heads:
            raise ValueError(f"width must be even and a multiple of heads = {self.heads}, not {self.width}")


@register("transformer", TransformerConfig)
class TransformerEncoder(Encoder):
    """linear -> norm -> + positions -> blocks -> norm -> pool -> projection.

    The norm after the first linear layer brings frames to the scale of the positions, for any input norm.
    """

    level = "frame"
    config: TransformerConfig

    @classmethod
    def titled(cls, options: Mapping[str, Any], dim: int) -> str:
        layers, width = options.get("layers"), options.get("width")
        size = f" {layers} x {width}" if layers and width else ""
        widths = [width] if width else []
        return ", ".join([f"Transformer{size}", *pooled(options), *projected(widths, dim)])

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__(config)
        width, inner = config.width, config.feed_forward * config.width
        self.start = nn.Sequential(linear(config.input_dim, width), nn.LayerNorm(width))
        self.blocks = nn.ModuleList(
            TransformerBlock(width, config.heads, inner, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.attention = pooling.AttentionPooling(width) if config.pooling == "attention" else None
        self.projection = output_projection(width, config.dim)
        self.dropout = Dropout(config.embedding_dropout)

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, dim)."""
        self.check_input(frames)
        mask = pooling.frame_mask(num_frames, frames)
        # Padding may hold NaN, and an attention weight of 0 does not remove it: 0 * NaN is NaN.
        x = self.start(torch.where(mask[:, :, None], frames, 0))
        if self.config.positions == "sinusoidal":
            x = x + sinusoids(x.shape[1], x.shape[2], x.device).to(x.dtype)
        # A video without frames attends to its first one: attention to nothing is NaN. Pooling ignores it.
        seen = mask | (torch.arange(mask.shape[1], device=mask.device) == 0)
        for block in self.blocks:
            x = block(x, seen)
        return self.dropout(self.projection(self._pooled(self.norm(x), num_frames)))

    def _pooled(self, states: Tensor, num_frames: Tensor) -> Tensor:
        if self.attention is not None:
            return self.attention(states, num_frames)
        chosen = {"last": pooling.last, "mean": pooling.mean, "max": pooling.maximum}
        return chosen[self.config.pooling](states, num_frames)
