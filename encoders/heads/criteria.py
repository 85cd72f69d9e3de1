"""What a head's logits are measured by in training: logits and targets -> one number to make small.

A criterion is any `(logits (B, C), targets (B, C)) -> scalar`: the loss summed over videos and classes.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

Criterion = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy of each class (models.md section 2).

    Args:
        logits: (B, C) log-odds.
        targets: (B, C) bool, or floating point in [0, 1].

    Returns:
        The sum over videos and classes, a scalar of the type of the logits.
    """
    return F.binary_cross_entropy_with_logits(logits, targets.to(logits.dtype), reduction="sum")
