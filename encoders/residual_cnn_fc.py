"""ResidualCNN-FC-X: ResidualCNN's fully connected layer alone (Garg 2018, section 4.2 and Table 3)."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from encoders.encoder import Encoder
from encoders.layers.fully_connected import FullyConnectedConfig, FullyConnectedLayer, embedding_end
from encoders.registry import register


@register("residual_cnn_fc", FullyConnectedConfig)
class ResidualCNNFC(Encoder):
    """embedding = ReLU(W x + b). `fc` is named and shaped as ResidualCNN's: its weights can start one."""

    config: FullyConnectedConfig

    def __init__(self, config: FullyConnectedConfig) -> None:
        super().__init__(config)
        self.fc = FullyConnectedLayer(config)
        self.end = embedding_end(config)

    @property
    def last_dropout(self) -> nn.Dropout:
        """Of the embedding."""
        return cast(nn.Dropout, self.end[-1])

    def forward(self, features: Tensor) -> Tensor:
        """(B, input_dim) -> (B, dim)."""
        self.check_input(features)
        embedding: Tensor = self.end(self.fc(features))
        return embedding

    def penalty(self) -> Tensor:
        """fc_weight_penalty * sum(fc weight ** 2) / 2."""
        return self.fc.penalty()
