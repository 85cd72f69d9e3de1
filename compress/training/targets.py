"""What the heads are to say: a batch's labels, mixed and softened as the recipe wants, and the criterion."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from compress.training.config import TrainConfig
from compress.training.inputs import Table
from compress.training.mixup import mixed
from encoders import (
    Asymmetric,
    ClassWeighted,
    Criterion,
    Inputs,
    cross_entropy,
    effective_number_weights,
)


@dataclass(frozen=True, eq=False)
class Targets:
    """A batch's inputs and targets from its videos and labels.

    Args:
        config: the recipe.
        frequencies: float32 (C,), share of the training videos of each class, on the device; None where
            labels are not smoothed.
    """

    config: TrainConfig
    frequencies: Tensor | None

    def __call__(self, step: int, inputs: Inputs, labels: Tensor) -> tuple[Inputs, Tensor]:
        """Mixed, then smoothed; what the recipe leaves alone stays as it is.

        Args:
            step: number of the step, from 0.
            inputs: what the model reads.
            labels: bool (B, C).

        Returns:
            Inputs, and targets (B, C): the labels themselves, or float32 in [0, 1].
        """
        targets = labels
        if self.config.mixup:
            inputs, targets = mixed(inputs, labels, self.config.mixup, self.config.seed, step)
        if self.frequencies is not None:
            targets = smoothed(targets, self.frequencies, self.config.label_smoothing)
        return inputs, targets


def targets_of(config: TrainConfig, table: Table, device: str) -> Targets:
    """The targets of a recipe; the table's labels give the class frequencies."""
    if not config.label_smoothing:
        return Targets(config, None)
    return Targets(config, (_class_counts(table) / len(table)).float().to(device))


def smoothed(targets: Tensor, frequencies: Tensor, share: float) -> Tensor:
    """(1 - share) * targets + share * frequencies, float32 (B, C).

    Label smoothing (Szegedy et al. 2016, section 7) towards the class frequencies instead of the same number
    for all: thousands of classes that hardly occur would otherwise outweigh the few that a video has.
    """
    return torch.lerp(targets.float(), frequencies.expand(targets.shape), share)


def criterion_of(config: TrainConfig, table: Table, device: str) -> Criterion:
    """What the recipe measures the heads by; the table's labels give the class counts."""
    if config.class_loss == "asymmetric":
        return Asymmetric(config.gamma_positive, config.gamma_negative, config.margin)
    if config.class_loss == "class_balanced":
        weights = effective_number_weights(_class_counts(table), config.class_balance)
        return ClassWeighted(weights.to(device))
    return cross_entropy


def _class_counts(table: Table) -> Tensor:
    return torch.from_numpy(table.labels.class_counts()).double()
