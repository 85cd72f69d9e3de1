"""Labels and teachers as one objective: what the heads are to say, and what they are measured by."""

from __future__ import annotations

import torch
from torch import Tensor

from encoders import Criterion, cross_entropy


def taught(
    labels: Tensor | None, log_odds: Tensor, criterion: Criterion, weight: float, temperature: float
) -> tuple[Tensor, Criterion]:
    """Targets and criterion of

        (1 - weight) * criterion(z, labels) + weight * T ** 2 * cross_entropy(z / T, sigmoid(log_odds / T))

    (Hinton et al. 2015, section 2: with T ** 2, what the teacher weighs does not depend on T). The
    cross-entropy is linear in its targets, so that with T = 1, and labels that are measured by it too, the
    sum is the cross-entropy of one mean target.

    Args:
        labels: targets (B, C) from the labels, bool or floating point in [0, 1]; None for videos that learn
            from the teachers alone, whatever the weight.
        log_odds: (B, C) floating point, of the teachers.
        criterion: of the labels.
        weight: of the teachers, in (0, 1].
        temperature: T > 0; above 1, small differences between unlikely classes count more.
    """
    if labels is None or weight == 1:
        labels, weight = None, 1.0
    said = torch.sigmoid(log_odds.float() / temperature)
    if temperature == 1 and (labels is None or criterion is cross_entropy):
        return (said if labels is None else torch.lerp(labels.float(), said, weight)), cross_entropy

    def both(logits: Tensor, targets: Tensor) -> Tensor:
        """`targets` are the teachers', of any float type."""
        soft = temperature**2 * cross_entropy(logits / temperature, targets)
        return soft if labels is None else (1 - weight) * criterion(logits, labels) + weight * soft

    return said, both
