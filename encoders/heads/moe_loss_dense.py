"""Loss of the MoE head and its gradient, each position as a positive and as a negative: nothing to look for.

The formulas of moe_loss.py in log space. On a GPU memory is what costs, not arithmetic; compiled, it is one
kernel that reads the activations once.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def loss_and_gradients(planes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """The summed loss, and its gradient to the activations.

    Args:
        planes: (B, 2K + 1, C) activations.
        labels: (B, C) bool.

    Returns:
        The loss summed over videos and classes, a scalar, float32 (float64 from float64), and the gradient,
        shaped and typed as `planes`.
    """
    k = planes.shape[1] // 2
    activations = planes if planes.dtype == torch.float64 else planes.float()
    gates, experts = activations[:, : k + 1], activations[:, k + 1 :]
    positive = labels[:, None]

    # Of each expert, its share in the probability of the true answer, times all gates; the dummy says no.
    yes = gates[:, :k] + F.logsigmoid(experts)
    no = yes - experts  # logsigmoid(-e) = logsigmoid(e) - e
    never = torch.full_like(gates[:, k:], -torch.inf)
    answers = torch.cat([torch.where(positive, yes, no), torch.where(positive, never, gates[:, k:])], dim=1)
    all_gates, answer = torch.logsumexp(gates, 1, keepdim=True), torch.logsumexp(answers, 1, keepdim=True)

    shares = torch.exp(answers - answer)
    to_gates = torch.exp(gates - all_gates) - shares
    wrong = torch.sigmoid(torch.where(positive, -experts, experts))
    to_experts = shares[:, :k] * torch.where(positive, -wrong, wrong)
    gradients = torch.cat([to_gates, to_experts], dim=1).to(planes.dtype)
    return (all_gates - answer).sum(), gradients
