"""The labels as a linear function of the embedding, by least squares: what ridge regression will find."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LinearReadout(nn.Module):
    """Loss |gain W x + b - y|^2 of embeddings x of length sqrt(dim), of training only; it scores nothing.

    Heads bend their scores at 0 and 1, so an embedding that suits a head may leave linear models less than
    the features gave them. `weight` W (C, dim) is fixed from the start: learned with everything else it stays
    far from the best one, and then pulls the embedding the wrong way. `gain` and `bias` (C,) are learned.
    """

    weight: Tensor

    def __init__(self, dim: int, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(num_classes, dim))
        self.gain = nn.Parameter(torch.ones(()))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def loss(self, embedding: Tensor, targets: Tensor) -> Tensor:
        """Squared errors summed over classes, mean over videos, a scalar; 0 for an empty batch.

        Args:
            embedding: (B, dim), floating point, of any length.
            targets: (B, C), labels as bool, or soft targets in [0, 1].
        """
        wide = torch.promote_types(embedding.dtype, torch.float32)
        x = F.normalize(embedding.to(wide), dim=1) * (math.sqrt(embedding.shape[1]) * self.gain)
        errors = F.linear(x, self.weight, self.bias).to(wide) - targets.to(wide)
        return errors.square().sum() / max(len(targets), 1)

    def set_class_priors(self, priors: Tensor) -> None:
        """Start from the class frequencies (C,)."""
        with torch.no_grad():
            self.bias.copy_(priors)
