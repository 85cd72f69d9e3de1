"""Linear layers: initialisation, weight penalty, and the layer that ResidualCNN starts with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from encoders.encoder import EncoderConfig
from encoders.layers.norm import BatchNorm
from encoders.options import fraction, not_negative


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear layer: Xavier-uniform weight, zero bias."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def output_projection(width: int, dim: int) -> nn.Module:
    """From an encoder's own width to `dim`: the identity if they are equal, else `linear`."""
    return nn.Identity() if width == dim else linear(width, dim)


def weight_penalty(weight: Tensor, factor: float) -> Tensor:
    """factor * sum(weight ** 2) / 2, a scalar of the weight's type; 0, without a gradient, for factor 0."""
    if factor == 0:
        return weight.new_zeros(())
    return _HalfSquare.apply(weight, factor)  # type: ignore[no-untyped-call]


class _HalfSquare(torch.autograd.Function):
    """Without the copy of all squares that autograd keeps; the gradient is factor * weight."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, factor: float) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.factor = factor
        # Rows first: one sum over millions of squares would lose four digits in float32.
        return torch.linalg.vector_norm(weight, dim=-1).square().sum() * (0.5 * factor)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        (weight,) = ctx.saved_tensors
        return weight * (outer[0] * ctx.factor), None


EMBEDDING_NORM_MOMENTUM = 0.1  # torch's default; the papers' 0.001 needs thousands of steps


@dataclass(frozen=True)
class FullyConnectedConfig(EncoderConfig):
    """Options of FullyConnectedLayer, and of what follows the embedding.

    Args:
        fc_activation: "relu" (papers) or "linear" (better MAP in our runs).
        fc_weight_penalty: L2 on the weight, >= 0; 0.01 in the papers' code, the text has none.
        embedding_norm: ours: batch norm on the embedding.
        embedding_dropout: ours: dropout rate of the embedding, in [0, 1).
    """

    fc_activation: Literal["relu", "linear"] = "relu"
    fc_weight_penalty: float = 0.01
    embedding_norm: bool = False
    embedding_dropout: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        not_negative(fc_weight_penalty=self.fc_weight_penalty)
        fraction(embedding_dropout=self.embedding_dropout)


class FullyConnectedLayer(nn.Module):
    """`weight` (dim, input_dim) Xavier-uniform, `bias` (dim,) zero; then ReLU if so configured."""

    def __init__(self, config: FullyConnectedConfig) -> None:
        super().__init__()
        self.relu = config.fc_activation == "relu"
        self.weight_penalty = config.fc_weight_penalty
        self.weight = nn.Parameter(torch.empty(config.dim, config.input_dim))
        self.bias = nn.Parameter(torch.zeros(config.dim))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """(B, input_dim) -> (B, dim)."""
        z = F.linear(features, self.weight, self.bias)
        return torch.relu(z) if self.relu else z

    def penalty(self) -> Tensor:
        """fc_weight_penalty * sum(weight ** 2) / 2, as TensorFlow's l2_regularizer; a scalar."""
        return weight_penalty(self.weight, self.weight_penalty)


def embedding_norm(config: FullyConnectedConfig) -> nn.Sequential:
    """Batch norm of the embedding where it is asked for, else nothing; checkpoints call it `end.0`."""
    return nn.Sequential(*([BatchNorm(config.dim, EMBEDDING_NORM_MOMENTUM)] if config.embedding_norm else []))
