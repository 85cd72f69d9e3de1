"""Log-odds of the MoE head, for training with their derivatives: the activations become them.

With r_k the share of expert k in the probability of yes, and q_k in that of no (where the dummy has one too):
    z = log p - log(1 - p);  d z/d gate_k = r_k - q_k;  d z/d e_k = r_k sigmoid(-e_k) + q_k sigmoid(e_k)
So one tensor of activations is kept for the backward pass of any loss of the log-odds, where autograd keeps
six to eight. The cross-entropy of labels has a shorter way: moe_loss.py.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

BLOCK_ROWS = 16  # videos at a time: the planes of a block stay in a CPU's cache


class MoELogits(torch.autograd.Function):
    """apply(planes (B, 2K + 1, C)) -> log-odds (B, C), as `moe_logits`; on a CPU planes are overwritten."""

    @staticmethod
    def forward(ctx: Any, planes: Tensor) -> Tensor:
        if planes.device.type == "cpu" and not torch.compiler.is_compiling():
            blocks = []
            for block in torch.split(planes, BLOCK_ROWS):
                logits, derivatives = logits_and_derivatives(block)
                block.copy_(derivatives)
                blocks.append(logits)
            logits, derivatives = torch.cat(blocks), planes
        else:
            logits, derivatives = logits_and_derivatives(planes)
        ctx.save_for_backward(derivatives)
        return logits

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> Tensor:
        (derivatives,) = ctx.saved_tensors
        result: Tensor = derivatives * outer[0][:, None].to(derivatives.dtype)
        return result


def moe_logits(planes: Tensor) -> Tensor:
    """Log-odds from gate and expert activations, in log space.

    Args:
        planes: (B, 2K + 1, C): K + 1 gates, K experts.

    Returns:
        (B, C), float32 (float64 from float64).
    """
    planes = planes if planes.dtype == torch.float64 else planes.float()
    k = planes.shape[1] // 2
    gates, dummy, experts = planes[:, :k], planes[:, k : k + 1], planes[:, k + 1 :]
    yes = gates + F.logsigmoid(experts)
    no = torch.cat([yes - experts, dummy], dim=1)  # logsigmoid(-e) = logsigmoid(e) - e
    return torch.logsumexp(yes, dim=1) - torch.logsumexp(no, dim=1)


def logits_and_derivatives(planes: Tensor) -> tuple[Tensor, Tensor]:
    """Log-odds and what they change by with each activation, in log space.

    Args:
        planes: (B, 2K + 1, C): K + 1 gates, K experts.

    Returns:
        (B, C), float32 (float64 from float64), and (B, 2K + 1, C), of the type of `planes`.
    """
    given = planes.dtype
    planes = planes if given == torch.float64 else planes.float()
    k = planes.shape[1] // 2
    gates, experts = planes[:, : k + 1], planes[:, k + 1 :]
    log_yes = F.logsigmoid(experts)
    log_no = log_yes - experts  # logsigmoid(-e) = logsigmoid(e) - e
    yes = gates[:, :k] + log_yes
    no = torch.cat([gates[:, :k] + log_no, gates[:, k:]], dim=1)  # the dummy always says no
    of_yes, total_yes = _shares(yes)
    of_no, total_no = _shares(no)
    to_experts = of_yes * log_no.exp_() + of_no[:, :k] * log_yes.exp_()
    to_gates = torch.cat([of_yes - of_no[:, :k], of_no[:, k:].neg()], dim=1)
    return total_yes - total_no, torch.cat([to_gates, to_experts], dim=1).to(given)


def _shares(terms: Tensor) -> tuple[Tensor, Tensor]:
    """softmax and logsumexp over dim 1, of one exp; terms (B, n, C) are overwritten."""
    largest = terms.amax(1, keepdim=True)
    shares = terms.sub_(largest).exp_()
    total = shares.sum(1, keepdim=True)
    return shares.div_(total), (largest + total.log())[:, 0]
