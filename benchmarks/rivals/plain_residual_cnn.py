"""ResidualCNN-X as anyone would write it from the paper: torch's Conv1d, batch norm and ReLU, in order.

Source: Garg 2018, section 4.2, Table 1 (see encoders/residual_cnn.py); with the defaults of our encoder.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders import ResidualCNN
from encoders.layers.convolution.positions import Convolution, PositionsNorm


class PlainModule(nn.Module):
    """x + convolutions(x); dilations 1, 3, 5."""

    def __init__(self, width: int, channels: list[int]) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv1d(before, after, 9, padding=4 * (2 * index + 1), dilation=2 * index + 1)
            for index, (before, after) in enumerate(zip([width, *channels], channels, strict=False))
        )

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for convolution in self.convolutions:
            y = torch.relu(convolution(y))
        return x + y


class PlainResidualCNN(nn.Module):
    """(B, input_dim) -> (B, dim)."""

    def __init__(self, input_dim: int, dim: int) -> None:
        super().__init__()
        self.fc = nn.Linear(input_dim, dim)
        self.layers = nn.Sequential(
            *_stage(1, 49, 64, [128, 192, 64]),
            _norm(64),
            *_stage(64, 1, 128, [256, 512, 128]),
            _norm(128),
            *_stage(128, 1, 256, [512, 256]),
            _norm(256),
            *_stage(256, 1, dim, [512, dim]),
        )

    def forward(self, features: Tensor) -> Tensor:
        fc = torch.relu(self.fc(features))
        embedding: Tensor = self.layers(fc[:, None]).amax(2) + fc
        return embedding


class PlainModel(nn.Module):
    """L2-normalised features -> PlainResidualCNN -> a head that gives probabilities."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, features: Tensor) -> Tensor:
        probabilities: Tensor = self.head(self.encoder(F.normalize(features, dim=1)))
        return probabilities


@torch.no_grad()
def with_weights_of(ours: ResidualCNN) -> PlainResidualCNN:
    """A plain one that computes the same; ours has its default options."""
    plain = PlainResidualCNN(ours.input_dim, ours.dim)
    plain.fc.weight.copy_(ours.fc.weight)
    plain.fc.bias.copy_(ours.fc.bias)
    for kind, their_kind in ((Convolution, nn.Conv1d), (PositionsNorm, nn.BatchNorm1d)):
        pairs = zip(_all(ours.cnn, kind), _all(plain, their_kind), strict=True)
        for one, other in pairs:
            other.load_state_dict(one.state_dict(), strict=kind is Convolution)
    return plain.train(ours.training)


def _stage(inputs: int, kernel: int, width: int, inner: list[int]) -> list[nn.Module]:
    convolution = nn.Conv1d(inputs, width, kernel, padding=kernel // 2)
    return [convolution, nn.ReLU(), _norm(width), PlainModule(width, inner)]


def _norm(channels: int) -> nn.BatchNorm1d:
    norm = nn.BatchNorm1d(channels, eps=1e-3, momentum=0.001)
    norm.weight.requires_grad_(False)  # the paper's batch norm shifts and does not scale
    return norm


def _all(module: nn.Module, kind: type[nn.Module]) -> list[nn.Module]:
    return [layer for layer in module.modules() if isinstance(layer, kind)]
