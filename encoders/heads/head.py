"""What every head is: embedding -> one log-odds a class, with its loss, starting point and penalty."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from encoders.layers.weight_penalty import weight_penalty
from encoders.options import not_negative, positive

PRIOR_FLOOR = 1e-7  # a class that never occurs in training still needs finite log-odds


@dataclass(frozen=True)
class HeadConfig:
    """What all heads have in common.

    Args:
        dim: numbers an embedding has, > 0.
        num_classes: C, > 0.
        weight_penalty: L2 on the weights (not the biases), >= 0; the papers' code has 1e-8.
    """

    dim: int
    num_classes: int
    weight_penalty: float = 1e-8

    def __post_init__(self) -> None:
        positive(dim=self.dim, num_classes=self.num_classes)
        not_negative(weight_penalty=self.weight_penalty)


class Head(nn.Module, ABC):
    """Base class: `forward(embedding (B, dim)) -> logits (B, C) float32`, p = sigmoid(logits)."""

    weight: nn.Parameter

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config

    @property
    def dim(self) -> int:
        return self.config.dim

    @property
    def num_classes(self) -> int:
        return self.config.num_classes

    def loss(self, embedding: Tensor, labels: Tensor) -> Tensor:
        """Binary cross-entropy, summed over classes, averaged over videos (models.md section 2).

        Args:
            embedding: (B, dim), floating point.
            labels: (B, C) bool.

        Returns:
            Scalar, float32 (float64 in a float64 model); 0 for an empty batch.
        """
        self.check(embedding, labels)
        logits = self(embedding)
        total = F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction="sum")
        return total / max(len(labels), 1)

    def penalty(self) -> Tensor:
        """weight_penalty * sum(weight ** 2) / 2, as TensorFlow's l2_regularizer; a scalar."""
        return weight_penalty(self.weight, self.config.weight_penalty)

    def set_class_priors(self, priors: Tensor) -> None:
        """Start from the class frequencies: with zero weights every video gets exactly these probabilities.

        Args:
            priors: (C,) probabilities in [0, 1]; those below PRIOR_FLOOR count as PRIOR_FLOOR.
        """
        if priors.shape != (self.num_classes,):
            raise ValueError(f"priors must be ({self.num_classes},), one a class, not {tuple(priors.shape)}")
        if not bool(((priors >= 0) & (priors <= 1)).all()):
            raise ValueError("priors must be probabilities in [0, 1]")
        self._start_from(priors.double())

    @abstractmethod
    def _start_from(self, priors: Tensor) -> None:
        """Set the starting weights for checked `priors`, float64 (C,)."""

    def check(self, embedding: Tensor, labels: Tensor | None = None) -> None:
        """ValueError unless embedding is (B, dim) and labels (if any) are (B, C)."""
        if embedding.dim() != 2 or embedding.shape[1] != self.dim:
            raise ValueError(f"the head takes (B, {self.dim}), not {tuple(embedding.shape)}")
        if labels is not None and labels.shape != (len(embedding), self.num_classes):
            wanted = (len(embedding), self.num_classes)
            raise ValueError(f"labels must be {wanted}, not {tuple(labels.shape)}")
