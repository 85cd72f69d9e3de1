"""The mixture-of-experts head as in google/youtube-8m `video_level_models.MoeModel`, with its loss.

Two linear layers, a softmax over the gates of each class, a sigmoid for each expert, and the cross-entropy of
the probabilities with 1e-6 inside the logarithms.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from encoders import MoE

EPSILON = 1e-6


class NaiveMoE(nn.Module):
    """(B, dim) -> probabilities (B, C)."""

    def __init__(self, dim: int, num_classes: int, mixtures: int = 2) -> None:
        super().__init__()
        self.num_classes, self.mixtures = num_classes, mixtures
        self.gates = nn.Linear(dim, num_classes * (mixtures + 1), bias=False)
        self.experts = nn.Linear(dim, num_classes * mixtures)

    def forward(self, embedding: Tensor) -> Tensor:
        gates = torch.softmax(self.gates(embedding).view(-1, self.mixtures + 1), dim=1)
        experts = torch.sigmoid(self.experts(embedding).view(-1, self.mixtures))
        probabilities = (gates[:, : self.mixtures] * experts).sum(1)
        return probabilities.view(-1, self.num_classes)


def cross_entropy(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Summed over classes, mean over videos; labels float (B, C)."""
    loss = labels * torch.log(probabilities + EPSILON) + (1 - labels) * torch.log(1 - probabilities + EPSILON)
    return -loss.sum(1).mean()


@torch.no_grad()
def with_weights_of(ours: MoE) -> NaiveMoE:
    """A naive one that computes the same: class by class, where ours lies plane by plane."""
    mixtures = ours.config.num_mixtures
    naive = NaiveMoE(ours.dim, ours.num_classes, mixtures)
    by_class = ours.weight.transpose(0, 1)
    naive.gates.weight.copy_(by_class[:, : mixtures + 1].reshape(-1, ours.dim))
    naive.experts.weight.copy_(by_class[:, mixtures + 1 :].reshape(-1, ours.dim))
    naive.experts.bias.copy_(ours.bias.t().reshape(-1))
    return naive
