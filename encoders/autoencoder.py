"""An autoencoder that also learns the labels: the embedding must give back the features, and classify.

Source: the code of Garg 2018 (see residual_cnn.py), whose text only names autoencoders as a direction to
explore (section 5.3). It has two, one fully connected (768, 512 -> 384 -> 640, 768) and one convolutional,
both with an MoE and 500 times the mean squared error. This is their idea in one encoder. Left out: ReLU on
the reconstruction (features are of either sign) and the MoE in the middle of the decoder, whose probabilities
the code averages with those of the embedding: what is stored would then not be enough to classify.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from encoders.encoder import Encoder, EncoderConfig, TrainingOutput
from encoders.layers.dropout import Dropout
from encoders.layers.fully_connected import linear
from encoders.layers.norm import BatchNorm
from encoders.options import fraction, not_negative, positive
from encoders.registry import register


@dataclass(frozen=True)
class AutoencoderConfig(EncoderConfig):
    """Options of AutoencoderEncoder.

    Args:
        hidden: widths of the hidden layers before the embedding; the decoder has them in reverse. Each is
            linear -> activation -> batch norm -> dropout.
        activation: of hidden layers; the embedding and the reconstruction are linear. Papers "relu".
        hidden_norm: batch norm in hidden layers; of the papers' two, the convolutional one has it.
        norm_momentum: weight of the newest batch in the running statistics, in [0, 1).
        dropout: dropout rate of hidden layers, in [0, 1); papers 0.5.
        embedding_norm: batch norm on the embedding.
        embedding_dropout: dropout rate of the embedding that the head reads, in [0, 1); the decoder reads it
            without dropout.
        reconstruction_weight: factor on the mean squared error, >= 0. Papers' code 500, on unit vectors: the
            square of one of their 1152 dimensions is 1/1152 on average, so it weighs as 0.43 does on
            standardised features.
        input_noise: standard deviation of the Gaussian noise added to the features in training, >= 0; the
            reconstruction is still compared with the features without it.
    """

    hidden: tuple[int, ...] = (768, 512)
    activation: Literal["relu", "gelu", "tanh"] = "relu"
    hidden_norm: bool = True
    norm_momentum: float = 0.1
    dropout: float = 0.0
    embedding_norm: bool = False
    embedding_dropout: float = 0.0
    reconstruction_weight: float = 1.0
    input_noise: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(**{f"hidden[{index}]": width for index, width in enumerate(self.hidden)})
        rates = {"dropout": self.dropout, "embedding_dropout": self.embedding_dropout}
        fraction(norm_momentum=self.norm_momentum, **rates)
        not_negative(reconstruction_weight=self.reconstruction_weight, input_noise=self.input_noise)


@register("autoencoder", AutoencoderConfig)
class AutoencoderEncoder(Encoder):
    """`encode` gives the embedding; `decode`, its mirror, gives the features back.

    The decoder is trained and saved with the rest, but no embedding depends on it: `Model.parameter_counts`
    counts it as "training_only".
    """

    title = "Autoencoder {dim}"
    config: AutoencoderConfig

    def __init__(self, config: AutoencoderConfig) -> None:
        super().__init__(config)
        self.encode = _layers([config.input_dim, *config.hidden, config.dim], config)
        if config.embedding_norm:
            self.encode.append(BatchNorm(config.dim, config.norm_momentum))
        self.decode = _layers([config.dim, *reversed(config.hidden), config.input_dim], config)
        self.dropout = Dropout(config.embedding_dropout)

    def forward(self, features: Tensor) -> Tensor:
        """(B, input_dim) -> (B, dim)."""
        self.check_input(features)
        return self.dropout(self.encode(features))

    def forward_training(self, *inputs: Tensor) -> TrainingOutput:
        """The embedding and reconstruction_weight * the mean squared error over all videos and dimensions."""
        (features,) = inputs
        self.check_input(features)
        noisy = features
        if self.training and self.config.input_noise:
            noisy = features + self.config.input_noise * torch.randn_like(features)
        code = self.encode(noisy)
        reconstruction = self.decode(code)
        # In the features' type: under autocast the reconstruction is bfloat16, too rough for a small error.
        error = (reconstruction.to(features.dtype) - features).square().sum() / max(features.numel(), 1)
        return TrainingOutput(self.dropout(code), loss=self.config.reconstruction_weight * error)

    def training_only_parameters(self) -> list[nn.Parameter]:
        return list(self.decode.parameters())


def _layers(widths: Sequence[int], config: AutoencoderConfig) -> nn.Sequential:
    """Hidden layers from the first of `widths` to the last but one, then a linear one."""
    layers: list[nn.Module] = []
    *hidden, last = widths[1:]
    width = widths[0]
    for size in hidden:
        layers += [linear(width, size), _ACTIVATIONS[config.activation]()]
        layers += [BatchNorm(size, config.norm_momentum)] if config.hidden_norm else []
        layers.append(Dropout(config.dropout))
        width = size
    return nn.Sequential(*layers, linear(width, last))


_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}
