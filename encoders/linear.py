"""One linear map: PCA, random projection, or trained; the baselines of every comparison."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.encoder import Encoder, EncoderConfig
from encoders.layers.dropout import Dropout
from encoders.layers.norm import BatchNorm
from encoders.options import fraction
from encoders.registry import register


@dataclass(frozen=True)
class LinearConfig(EncoderConfig):
    """Options of LinearEncoder.

    Args:
        bias: add a bias.
        norm: batch norm on the embedding.
        norm_momentum: weight of the newest batch in the running statistics, in [0, 1).
        dropout: dropout rate of the embedding, in [0, 1).
    """

    bias: bool = True
    norm: bool = False
    norm_momentum: float = 0.1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        fraction(dropout=self.dropout, norm_momentum=self.norm_momentum)


@register("linear", LinearConfig)
class LinearEncoder(Encoder):
    """features @ weight.T + bias, then optional batch norm and dropout.

    `weight` (dim, input_dim) Xavier-uniform, `bias` (dim,) zero or None; PCA and random projection set them.
    """

    title = "Linear bottleneck {dim}"
    config: LinearConfig

    def __init__(self, config: LinearConfig) -> None:
        super().__init__(config)
        self.weight = nn.Parameter(torch.empty(config.dim, config.input_dim))
        self.bias = nn.Parameter(torch.zeros(config.dim)) if config.bias else None
        self.norm = BatchNorm(config.dim, config.norm_momentum) if config.norm else nn.Identity()
        self.dropout = Dropout(config.dropout)
        nn.init.xavier_uniform_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """(B, input_dim) -> (B, dim)."""
        self.check_input(features)
        return self.dropout(self.norm(F.linear(features, self.weight, self.bias)))
