"""Loss of the MoE head and its gradient in one pass: the activations become their own gradient.

Plain autograd keeps 6-8 tensors of size (B, 2K + 1, C); here there is one, and the elementwise work runs in
blocks that stay in the cache. Nearly all labels are 0, so every position is treated as a negative first, and
the few positives are then overwritten. Finding them stalls a GPU and cannot be compiled, so there
(`loss_and_gradients`) every position is computed both ways.

With a_k = exp(gate_k - max), S = sum a, r_k = the share of expert k in the probability of the true answer:
    label 0: -log(1 - p) = log S - log(sum_k a_k sigmoid(-e_k) + a_dummy);  d/d e_k = +r_k sigmoid(e_k)
    label 1: -log p      = log S - log(sum_k a_k sigmoid(+e_k));            d/d e_k = -r_k sigmoid(-e_k)
    both:    d/d gate_k = a_k / S - r_k
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

_BLOCK_LOGITS, _LEAST_ROWS = 1 << 16, 16


def rows_at_once(classes: int) -> int:
    """Videos of a block: its planes stay in a CPU's cache, and few classes make few blocks.

    Example:
        >>> rows_at_once(3862), rows_at_once(8)
        (16, 8192)
    """
    return max(_LEAST_ROWS, _BLOCK_LOGITS // classes)


class MoELogits(torch.autograd.Function):
    """apply(planes (B, 2K + 1, C)) -> logits (B, C), as `moe_logits`; on a CPU planes are overwritten."""

    @staticmethod
    def forward(ctx: Any, planes: Tensor) -> Tensor:
        if planes.device.type == "cpu" and not torch.compiler.is_compiling():
            blocks = []
            for block in torch.split(planes, rows_at_once(planes.shape[2])):
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
        return derivatives * outer[0][:, None].to(derivatives.dtype)


def moe_logits(planes: Tensor) -> Tensor:
    """Activations (B, 2K + 1, C) of gates, then experts -> logits (B, C) float32 (float64 from float64)."""
    planes = planes if planes.dtype == torch.float64 else planes.float()
    k = planes.shape[1] // 2
    # In log space: p of a rare class may be 1e-30, and 1 - p of a sure one 0 in float32.
    gates, dummy, experts = planes[:, :k], planes[:, k : k + 1], planes[:, k + 1 :]
    yes = gates + F.logsigmoid(experts)
    no = torch.cat([yes - experts, dummy], dim=1)  # logsigmoid(-e) = logsigmoid(e) - e
    return torch.logsumexp(yes, dim=1) - torch.logsumexp(no, dim=1)


def logits_and_derivatives(planes: Tensor) -> tuple[Tensor, Tensor]:
    """`moe_logits`, and their derivatives by each activation, (B, 2K + 1, C) in the type of `planes`."""
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
    """softmax and logsumexp over dim 1 with one exp; terms (B, n, C) are overwritten."""
    largest = terms.amax(1, keepdim=True)
    shares = terms.sub_(largest).exp_()
    total = shares.sum(1, keepdim=True)
    return shares.div_(total), (largest + total.log())[:, 0]


def loss_and_gradients(planes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """As `activations_to_gradients`, not in place and without data-dependent shapes (GPU, torch.compile)."""
    k = planes.shape[1] // 2
    activations = planes if planes.dtype == torch.float64 else planes.float()
    gates, experts = activations[:, : k + 1], activations[:, k + 1 :]
    positive = labels[:, None]

    # Per expert: its share in the probability of the true answer, before division by all gates.
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


class MoELoss(torch.autograd.Function):
    """apply(embedding (B, D), weight (2K+1, C, D), bias (K, C), labels bool (B, C)) -> scalar."""

    @staticmethod
    def forward(ctx: Any, embedding: Tensor, weight: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
        device = embedding.device.type
        compute = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight.dtype
        with torch.autocast(device, enabled=False):
            x, w = embedding.to(compute), weight.to(compute).flatten(0, 1)
            whole_bias = torch.cat([bias.new_zeros(len(weight) - len(bias), bias.shape[1]), bias]).to(compute)
            planes = F.linear(x, w, whole_bias.flatten()).view(-1, *weight.shape[:2])
            if planes.device.type == "cpu" and not torch.compiler.is_compiling():
                total, gradients = activations_to_gradients(planes, labels.bool()), planes
            else:
                total, gradients = loss_and_gradients(planes, labels.bool())
        ctx.save_for_backward(x, w, gradients)
        ctx.dtypes = embedding.dtype, weight.dtype, bias.dtype
        ctx.scale = 1 / max(len(embedding), 1)
        return total * ctx.scale

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor | None, ...]:
        x, w, gradients = ctx.saved_tensors
        embedding_dtype, weight_dtype, bias_dtype = ctx.dtypes
        scale = outer[0] * ctx.scale
        flat = gradients.flatten(1)
        num_experts = gradients.shape[1] // 2
        to_embedding = to_weight = to_bias = None
        if ctx.needs_input_grad[0]:
            to_embedding = ((flat @ w) * scale).to(embedding_dtype)
        if ctx.needs_input_grad[1]:  # x is the smallest of the factors that could be scaled
            to_weight = _weight_gradient(gradients, x * scale.to(x.dtype), weight_dtype)
        if ctx.needs_input_grad[2]:
            experts = gradients[:, num_experts + 1 :]
            to_bias = (experts.sum(0, dtype=bias_dtype) * scale).to(bias_dtype)
        return to_embedding, to_weight, to_bias, None


def _weight_gradient(gradients: Tensor, x: Tensor, dtype: torch.dtype) -> Tensor:
    if x.dtype == dtype:
        return (gradients.flatten(1).t() @ x).view(*gradients.shape[1:], -1)
    result = x.new_empty(*gradients.shape[1:], x.shape[1], dtype=dtype)
    for plane, target in zip(
        gradients.unbind(1), result, strict=True
    ):  # plane by plane: no bfloat16 copy of all
        target.copy_(plane.t() @ x)
    return result


def activations_to_gradients(planes: Tensor, labels: Tensor) -> Tensor:
    """Replace activations (B, 2K + 1, C) by the gradient of the loss, which is summed over all and returned.

    Labels are bool (B, C); the loss is float32 (float64 from float64).
    """
    rows, classes = labels.nonzero(as_tuple=True)
    exact = torch.float64 if planes.dtype == torch.float64 else torch.float32
    loss, gradients = _positives(planes[rows, :, classes].to(exact))
    total = loss.sum()
    size = rows_at_once(labels.shape[1])
    for block, its_labels in zip(torch.split(planes, size), torch.split(labels, size), strict=True):
        total = total + _negatives(block, its_labels, exact)
    # The positives last: the blocks above treated all positions as negatives.
    planes[rows, :, classes] = gradients.to(planes.dtype)
    return total


def _negatives(planes: Tensor, labels: Tensor, exact: torch.dtype) -> Tensor:
    """Summed loss of the negatives of a block; `planes` becomes the gradient as if all labels were 0."""
    k = planes.shape[1] // 2
    activations = planes.to(exact)
    gates, experts = activations[:, : k + 1], activations[:, k + 1 :]
    a = (gates - gates.amax(1, keepdim=True)).exp_()
    no = torch.sigmoid(experts.neg())
    # The largest a is 1, so this floor keeps the sum below from vanishing: exact up to 80 nats a class.
    no.clamp_min_(1e-35)
    weighted = a[:, :k] * no
    total_gate = a.sum(1, keepdim=True)
    total_no = weighted.sum(1, keepdim=True).add_(a[:, k:])
    loss = torch.log(total_gate / total_no)[:, 0].masked_fill_(labels, 0.0).sum()
    weighted.div_(total_no)
    dummy = a[:, k:] / total_no
    a.div_(total_gate)
    a[:, :k].sub_(weighted)
    a[:, k:].sub_(dummy)
    planes[:, : k + 1] = a
    planes[:, k + 1 :] = weighted.mul_(no.neg_().add_(1))
    return loss


def _positives(planes: Tensor) -> tuple[Tensor, Tensor]:
    """(loss (n,), gradient (n, 2K + 1)) at the positions with label 1, in log space; planes (n, 2K + 1)."""
    k = planes.shape[1] // 2
    gates, experts = planes[:, : k + 1], planes[:, k + 1 :]
    yes = gates[:, :k] + F.logsigmoid(experts)
    loss = torch.logsumexp(gates, 1) - torch.logsumexp(yes, 1)
    share = torch.softmax(yes, 1)
    to_gates = torch.softmax(gates, 1)
    to_gates[:, :k] -= share
    return loss, torch.cat([to_gates, -share * torch.sigmoid(-experts)], dim=1)
