"""The objective of a training step: targets from labels and teachers, the criterion, and the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from compress.training.config import TrainConfig
from compress.training.inputs import Table, sent
from encoders import (
    Asymmetric,
    Blended,
    ClassWeighted,
    Criterion,
    Inputs,
    Model,
    cross_entropy,
    effective_number_weights,
)

_MIXUP = 0x6D6978  # added to seed and step: not the random numbers that order the videos


class LossFunction(Protocol):
    """(inputs, labels, logits of teachers) -> loss and penalty, a scalar with a gradient.

    Labels are None for unlabelled videos; the teachers' logits are None without teachers.
    """

    def __call__(
        self, inputs: Inputs, labels: Tensor | None, teacher_logits: Tensor | None = None, /
    ) -> Tensor: ...


def loss_function(
    config: TrainConfig, model: Model, device: str, criterion: Criterion = cross_entropy
) -> LossFunction:
    """The loss of a recipe, in its precision; `criterion` is that of labels (`criterion_of`)."""

    def loss(inputs: Inputs, labels: Tensor | None, teacher_logits: Tensor | None = None, /) -> Tensor:
        targets, measure = labels, criterion
        if teacher_logits is not None:
            weight, temperature = config.distill_weight, config.temperature
            targets, measure = taught(labels, teacher_logits, criterion, weight, temperature)
        assert targets is not None
        with torch.autocast(device, torch.bfloat16, enabled=config.precision == "bf16"):
            return model.loss(inputs, targets, config.input_dropout, measure) + model.penalty()

    return loss


def compiled(loss: LossFunction, device: str, *, backend: str = "inductor") -> LossFunction:
    """The same function as fewer, larger pieces of machine code; the last bits differ.

    The first call takes a minute, and so does the first one with another shape. A GPU records the pieces once
    and then starts all of them together (CUDA graphs), so that small steps do not wait for Python. The
    backends "eager" and "aot_eager" of torch.compile need no compiler.
    """
    if device != "cuda" or backend != "inductor":
        # Fixed shapes: only the last batch of an epoch has another, and dynamic code would be slower.
        return torch.compile(loss, backend=backend, dynamic=False)
    recorded = torch.compile(loss, mode="reduce-overhead", dynamic=False)

    def replay(inputs: Inputs, labels: Tensor | None, teacher_logits: Tensor | None = None, /) -> Tensor:
        # From here on torch may overwrite what the last step left in the graphs' memory.
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return recorded(inputs, labels, teacher_logits).clone()  # the loss is read some steps later

    return replay


def taught(
    labels: Tensor | None, teacher_logits: Tensor, criterion: Criterion, weight: float, temperature: float
) -> tuple[Tensor, Criterion]:
    """Targets and criterion of

        (1 - weight) * criterion(z, labels) + weight * T ** 2 * cross_entropy(z / T, sigmoid(teachers / T))

    (Hinton et al. 2015, section 2: with T ** 2 the teacher's weight does not depend on T). Cross-entropy is
    linear in its targets, so with T = 1, and labels measured by it too, the sum is the cross-entropy of one
    mean target.

    Args:
        labels: targets (B, C) from the labels, bool or floating point in [0, 1]; None for unlabelled videos,
            for which the teachers' weight is 1.
        teacher_logits: (B, C) floating point, of the teachers.
        criterion: of the labels.
        weight: of the teachers, in (0, 1].
        temperature: T > 0.
    """
    if labels is None or weight == 1:
        labels, weight = None, 1.0
    said = torch.sigmoid(teacher_logits.float() / temperature)
    if temperature == 1 and (labels is None or criterion is cross_entropy):
        return (said if labels is None else torch.lerp(labels.float(), said, weight)), cross_entropy

    def both(logits: Tensor, targets: Tensor) -> Tensor:
        soft = temperature**2 * cross_entropy(logits / temperature, targets)
        return soft if labels is None else (1 - weight) * criterion(logits, labels) + weight * soft

    return said, both


@dataclass(frozen=True, eq=False)
class Targets:
    """Mixup and label smoothing; class `frequencies` float32 (C,), None for no smoothing."""

    config: TrainConfig
    frequencies: Tensor | None

    def __call__(self, step: int, inputs: Inputs, labels: Tensor) -> tuple[Inputs, Tensor]:
        """Inputs and bool labels (B, C) of a step -> inputs and targets, bool or float32 in [0, 1]."""
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

    Label smoothing (Szegedy et al. 2016, section 7), but towards the class frequencies instead of a constant:
    otherwise thousands of rare classes would outweigh the few labels of a video.
    """
    return torch.lerp(targets.float(), frequencies.expand(targets.shape), share)


def criterion_of(config: TrainConfig, table: Table, device: str) -> Criterion:
    """The criterion of a recipe; the table's labels give the class counts."""
    if config.class_loss == "asymmetric":
        return Asymmetric(config.gamma_positive, config.gamma_negative, config.margin)
    if config.class_loss == "class_balanced":
        weights = effective_number_weights(_class_counts(table), config.class_balance)
        return ClassWeighted(weights.to(device))
    return cross_entropy


def _class_counts(table: Table) -> Tensor:
    return torch.from_numpy(table.labels.class_counts()).double()


def mixed(inputs: Inputs, targets: Tensor, alpha: float, seed: int, step: int) -> tuple[Blended, Tensor]:
    """Mixup: inputs for the model to blend, w * video + (1 - w) * partner, and blended targets float32.

    w is from Beta(alpha, alpha), one per video; a small alpha leaves most videos nearly unchanged. Weights
    and partners are a function of (seed, step) alone, so a checkpoint needs nothing more than the step.
    """
    assert not isinstance(inputs, Blended)
    random = np.random.default_rng([seed, step, _MIXUP])
    weight = sent(random.beta(alpha, alpha, len(targets)).astype(np.float32), targets.device)[:, None]
    partner = sent(random.permutation(len(targets)), targets.device)
    blended = Blended(inputs, weight, partner)
    return blended, blended.of_features(targets.float())
