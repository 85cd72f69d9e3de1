"""What a step makes small: labels and teachers as targets, the criterion, and the loss of a batch."""

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

_MIXUP = 0x6D6978  # beside seed and step: other random numbers than those of the order of the videos


class LossFunction(Protocol):
    """(inputs, labels, logits of teachers) -> loss and penalty, a scalar with a gradient.

    Labels are None for videos that learn from teachers alone, logits where there are no teachers.
    """

    def __call__(
        self, inputs: Inputs, labels: Tensor | None, teacher_logits: Tensor | None = None, /
    ) -> Tensor: ...


def loss_function(
    config: TrainConfig, model: Model, device: str, criterion: Criterion = cross_entropy
) -> LossFunction:
    """The loss of a recipe, in its precision; `criterion` is what it measures labels by (`criterion_of`)."""

    def loss(inputs: Inputs, labels: Tensor | None, teacher_logits: Tensor | None = None, /) -> Tensor:
        targets, measure = _objective(config, labels, teacher_logits, criterion)
        with torch.autocast(device, torch.bfloat16, enabled=config.precision == "bf16"):
            return model.loss(inputs, targets, config.input_dropout, measure) + model.penalty()

    return loss


def _objective(
    config: TrainConfig, labels: Tensor | None, teacher_logits: Tensor | None, criterion: Criterion
) -> tuple[Tensor, Criterion]:
    """What the heads are to say, and what they are measured by."""
    if teacher_logits is not None:
        return taught(labels, teacher_logits, criterion, config.distill_weight, config.temperature)
    assert labels is not None
    return labels, criterion


def compiled(loss: LossFunction, device: str, *, backend: str = "inductor") -> LossFunction:
    """The same function as fewer, larger pieces of machine code; the last bits differ.

    A GPU records the pieces once, and starts them all together afterwards (CUDA graphs), so that small steps
    are not held up by Python.

    Args:
        loss: what `loss_function` gives, of features: all batches but the last of an epoch have one shape.
            Its first call takes a minute, as does the first with another shape.
        device: "cpu" or "cuda".
        backend: of torch.compile; "eager" and "aot_eager" need no compiler.
    """
    if device != "cuda" or backend != "inductor":
        return torch.compile(loss, backend=backend, dynamic=False)
    recorded = torch.compile(loss, mode="reduce-overhead", dynamic=False)

    def replay(inputs: Inputs, labels: Tensor | None, teacher_logits: Tensor | None = None, /) -> Tensor:
        # What the last step left in the graphs' memory may be overwritten from here on.
        torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return recorded(inputs, labels, teacher_logits).clone()  # the loss is read some steps later

    return replay


def taught(
    labels: Tensor | None, teacher_logits: Tensor, criterion: Criterion, weight: float, temperature: float
) -> tuple[Tensor, Criterion]:
    """Targets and criterion of

        (1 - weight) * criterion(z, labels) + weight * T ** 2 * cross_entropy(z / T, sigmoid(teachers / T))

    (Hinton et al. 2015, section 2: with T ** 2, what the teacher weighs does not depend on T). The
    cross-entropy is linear in its targets, so that with T = 1, and labels that are measured by it too, the
    sum is the cross-entropy of one mean target.

    Args:
        labels: targets (B, C) from the labels, bool or floating point in [0, 1]; None for videos that learn
            from the teachers alone, whatever the weight.
        teacher_logits: (B, C) floating point, of the teachers.
        criterion: of the labels.
        weight: of the teachers, in (0, 1].
        temperature: T > 0; above 1, small differences between unlikely classes count more.
    """
    if labels is None or weight == 1:
        labels, weight = None, 1.0
    said = torch.sigmoid(teacher_logits.float() / temperature)
    if temperature == 1 and (labels is None or criterion is cross_entropy):
        return (said if labels is None else torch.lerp(labels.float(), said, weight)), cross_entropy

    def both(logits: Tensor, targets: Tensor) -> Tensor:
        """`targets` are the teachers', of any float type."""
        soft = temperature**2 * cross_entropy(logits / temperature, targets)
        return soft if labels is None else (1 - weight) * criterion(logits, labels) + weight * soft

    return said, both


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
    everywhere: thousands of classes that hardly occur would otherwise outweigh the few that a video has.
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


def mixed(inputs: Inputs, targets: Tensor, alpha: float, seed: int, step: int) -> tuple[Blended, Tensor]:
    """A batch, to be blended: w * video + (1 - w) * partner, w of Beta(alpha, alpha), one for each video.

    Weights and partners are a function of (seed, step) alone, so that a training that is continued has
    nothing more to keep than the number of its step.

    Args:
        inputs: features (B, D), or frames (B, T, D), uint8 codes or floating point, and num_frames (B,).
        targets: (B, C) bool or floating point.
        alpha: > 0; small values leave most videos nearly as they are.
        seed, step: of the training, >= 0.

    Returns:
        What a model blends after its input norm, and the blended targets, float32.
    """
    assert not isinstance(inputs, Blended)
    random = np.random.default_rng([seed, step, _MIXUP])
    weight = sent(random.beta(alpha, alpha, len(targets)).astype(np.float32), targets.device)[:, None]
    partner = sent(random.permutation(len(targets)), targets.device)
    blended = Blended(inputs, weight, partner)
    return blended, blended.of_features(targets.float())
