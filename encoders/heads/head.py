"""Base class of heads: embedding -> one logit per class, with loss, starting point and penalty."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from encoders.heads.criteria import Criterion, cross_entropy
from encoders.layers.fully_connected import weight_penalty
from encoders.options import not_negative, positive

PRIOR_FLOOR = 1e-7  # a class that never occurs in training still needs a finite logit


@dataclass(frozen=True)
class HeadConfig:
    """Options that all heads have.

    Args:
        dim: embedding size, > 0.
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

    def loss(self, embedding: Tensor, targets: Tensor, criterion: Criterion = cross_entropy) -> Tensor:
        """Loss of the logits, summed over classes, mean over videos.

        Args:
            embedding: (B, dim), floating point.
            targets: (B, C): labels as bool, or soft targets, floating point in [0, 1] (the range is not
                checked: that would stall a GPU).
            criterion: (logits, targets) -> loss summed over videos and classes.

        Returns:
            Scalar, float32 (float64 in a float64 model); 0 for an empty batch.

        Raises:
            ValueError: a shape does not fit, or the targets are integers.
        """
        self.check(embedding, targets)
        return criterion(self(embedding), targets) / max(len(targets), 1)

    def penalty(self) -> Tensor:
        """weight_penalty * sum(weight ** 2) / 2, as TensorFlow's l2_regularizer; a scalar."""
        return weight_penalty(self.weight, self.config.weight_penalty)

    def set_class_priors(self, priors: Tensor) -> None:
        """Set the biases so that zero weights give every video the class frequencies `priors` (C,).

        Priors are in [0, 1]; those below PRIOR_FLOOR count as PRIOR_FLOOR.
        """
        if priors.shape != (self.num_classes,):
            raise ValueError(
                f"priors must be ({self.num_classes},), one per class, not {tuple(priors.shape)}"
            )
        if not bool(((priors >= 0) & (priors <= 1)).all()):
            raise ValueError("priors must be probabilities in [0, 1]")
        self._start_from(priors.double())

    @abstractmethod
    def _start_from(self, priors: Tensor) -> None:
        """Set the starting weights for checked `priors`, float64 (C,)."""

    def check(self, embedding: Tensor, targets: Tensor | None = None) -> None:
        """ValueError unless embedding is (B, dim) and targets (if any) are (B, C), bool or floating point."""
        if embedding.dim() != 2 or embedding.shape[1] != self.dim:
            raise ValueError(f"the head takes (B, {self.dim}), not {tuple(embedding.shape)}")
        if targets is None:
            return
        wanted = (len(embedding), self.num_classes)
        if targets.shape != wanted:
            raise ValueError(f"targets must be {wanted}, not {tuple(targets.shape)}")
        if targets.dtype != torch.bool and not targets.is_floating_point():
            raise ValueError(f"targets must be bool or floating point, not {targets.dtype}")
