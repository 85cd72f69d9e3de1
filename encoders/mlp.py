"""A plain multilayer perceptron: shows what depth gives without convolutions. In no paper."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from encoders.encoder import Encoder, EncoderConfig
from encoders.layers.dropout import Dropout
from encoders.layers.fully_connected import linear
from encoders.layers.norm import BatchNorm
from encoders.options import fraction, positive
from encoders.registry import register


@dataclass(frozen=True)
class MLPConfig(EncoderConfig):
    """Options of MLPEncoder.

    Args:
        hidden: widths of the hidden layers; each is linear -> batch norm -> ReLU -> dropout.
        norm_momentum: weight of the newest batch in the running statistics, in [0, 1).
        dropout: dropout rate of hidden layers, in [0, 1).
        embedding_norm: batch norm on the embedding.
        embedding_dropout: dropout rate of the embedding, in [0, 1).
        skip: add a linear map of the features, beside which the hidden layers start at 0: a linear bottleneck
            that learns what a linear map cannot give.
    """

    hidden: tuple[int, ...] = (2048,)
    norm_momentum: float = 0.1
    dropout: float = 0.0
    embedding_norm: bool = False
    embedding_dropout: float = 0.0
    skip: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(**{f"hidden[{index}]": width for index, width in enumerate(self.hidden)})
        rates = {"dropout": self.dropout, "embedding_dropout": self.embedding_dropout}
        fraction(norm_momentum=self.norm_momentum, **rates)


@register("mlp", MLPConfig)
class MLPEncoder(Encoder):
    """Hidden layers, then a linear one of width `dim`; with `skip` plus a linear map of the features."""

    title = "MLP bottleneck {dim}"
    config: MLPConfig

    def __init__(self, config: MLPConfig) -> None:
        super().__init__(config)
        layers: list[nn.Module] = []
        width = config.input_dim
        for hidden in config.hidden:
            layers += [linear(width, hidden), BatchNorm(hidden, config.norm_momentum), nn.ReLU()]
            layers.append(Dropout(config.dropout))
            width = hidden
        last = linear(width, config.dim)
        layers.append(last)
        if config.embedding_norm and not config.skip:
            layers.append(BatchNorm(config.dim, config.norm_momentum))
        self.layers = nn.Sequential(*layers)
        if config.skip:
            nn.init.zeros_(last.weight)
            self.skip = linear(config.input_dim, config.dim)
            self.norm = (
                BatchNorm(config.dim, config.norm_momentum) if config.embedding_norm else nn.Identity()
            )
        self.dropout = Dropout(config.embedding_dropout)

    def forward(self, features: Tensor) -> Tensor:
        """(B, input_dim) -> (B, dim)."""
        self.check_input(features)
        embedding = self.layers(features)
        if self.config.skip:
            embedding = self.norm(embedding + self.skip(features))
        return self.dropout(embedding)
