"""Training criteria: logits and targets -> loss.

A criterion is any `(logits (B, C), targets (B, C)) -> scalar`: the loss summed over videos and classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from encoders.options import fraction

Criterion = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy of each class (models.md section 2).

    Args:
        logits: (B, C).
        targets: (B, C) bool, or floating point in [0, 1].

    Returns:
        The sum over videos and classes, a scalar of the type of the logits.
    """
    return F.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype), reduction="sum")


@dataclass(frozen=True, eq=False)
class ClassWeighted:
    """Cross-entropy with a weight per class.

    The weight is on a class's positives and negatives alike, so the best probabilities stay the same; it
    decides which classes an embedding that is too small for all of them serves best.

    Args:
        weights: (C,) floating point, on the device of the logits.
    """

    weights: Tensor

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """As `cross_entropy`."""
        return F.binary_cross_entropy_with_logits(
            logits, targets.to(logits.dtype), self.weights.to(logits.dtype), reduction="sum"
        )


@dataclass(frozen=True)
class Asymmetric:
    """Asymmetric loss (Ridnik et al. 2021, equations 4 to 7): easy negatives count little or not at all.

    With q = max(p - margin, 0), the loss of target t is
        -t (1 - p)^gamma_positive log p - (1 - t) q^gamma_negative log(1 - q)

    Args:
        gamma_positive, gamma_negative: 0, or at least 1 (in between, the slope at 0 is infinite).
        margin: a negative below this probability has loss 0, in [0, 1).
    """

    gamma_positive: float = 0.0
    gamma_negative: float = 4.0
    margin: float = 0.05

    def __post_init__(self) -> None:
        fraction(margin=self.margin)
        for name in ("gamma_positive", "gamma_negative"):
            if not (getattr(self, name) == 0 or getattr(self, name) >= 1):
                raise ValueError(f"{name} must be 0 or at least 1, not {getattr(self, name)}")

    def __call__(self, logits: Tensor, targets: Tensor) -> Tensor:
        """As `cross_entropy`."""
        targets, p, log_no = targets.to(logits.dtype), torch.sigmoid(logits), F.logsigmoid(-logits)
        yes = -F.logsigmoid(logits)
        if self.gamma_positive:
            yes = yes * torch.sigmoid(-logits) ** self.gamma_positive
        if (
            self.margin
        ):  # the log is taken of 1 - p + margin directly: 1 - max(p - margin, 0) loses digits near 1
            p, log_no = (
                (p - self.margin).clamp(min=0),
                (torch.sigmoid(-logits) + self.margin).clamp(max=1).log(),
            )
        no = -log_no
        if self.gamma_negative:
            no = no * p**self.gamma_negative
        return torch.lerp(no, yes, targets).sum()


def effective_number_weights(counts: Tensor, beta: float) -> Tensor:
    """Class weights by the effective number of videos (Cui et al. 2019, equation 2).

    Of n videos E = (1 - beta^n) / (1 - beta) count as different; the weight is 1 / E. Ours: videos have
    several labels, so weights are scaled to a mean of 1 over all labels, which keeps the size of the loss; a
    class without videos counts as one with one video.

    Args:
        counts: (C,) videos of each class, whole numbers >= 0.
        beta: in [0, 1); with 0 all weights are equal; close to 1 they go as 1 / n.

    Returns:
        (C,) float32.
    """
    fraction(beta=beta)
    n = counts.double().clamp(min=1)
    weights = (1 - beta) / (1 - beta**n)
    return (weights * n.sum() / (weights * n).sum()).float()
