"""Mixture of experts (MoE): logistic experts per class and a dummy that says no (models.md section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.heads.criteria import Criterion, cross_entropy
from encoders.heads.head import PRIOR_FLOOR, Head, HeadConfig
from encoders.heads.moe_loss import MoELogits, MoELoss, moe_logits, rows_at_once
from encoders.heads.registry import register
from encoders.options import positive


@dataclass(frozen=True)
class MoEConfig(HeadConfig):
    """Options of MoE.

    Args:
        num_mixtures: K real experts per class, >= 1; papers 2.
    """

    num_mixtures: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        positive(num_mixtures=self.num_mixtures)


@register("moe", MoEConfig)
class MoE(Head):
    """p = sum over k < K of softmax(gates)_k * sigmoid(expert_k); gate K is the dummy's, which says 0.

    `weight` (2K + 1, C, dim): planes 0..K are the gates (no bias), planes K+1..2K the experts. Planes come
    first, so that one matrix product gives activations (B, 2K + 1, C). `bias` (K, C): the experts'.
    (2K + 1) * C * dim + K * C parameters: 5 C dim + 2 C for K = 2.
    """

    config: MoEConfig

    def __init__(self, config: MoEConfig) -> None:
        super().__init__(config)
        k, c, d = config.num_mixtures, config.num_classes, config.dim
        self.weight = nn.Parameter(torch.empty(2 * k + 1, c, d))
        self.bias = nn.Parameter(torch.zeros(k, c))
        with torch.no_grad():  # two layers in the papers' code, each Xavier-uniform on its own
            nn.init.xavier_uniform_(self.weight[: k + 1].view(-1, d))
            nn.init.xavier_uniform_(self.weight[k + 1 :].view(-1, d))

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, dim) -> logits (B, C), float32: z = log p - log(1 - p), exact for any activations."""
        self.check(embedding)
        k = self.config.num_mixtures
        bias = torch.cat([self.bias.new_zeros(k + 1, self.num_classes), self.bias]).flatten()
        planes = F.linear(embedding, self.weight.flatten(0, 1), bias).view(-1, 2 * k + 1, self.num_classes)
        if torch.is_grad_enabled():  # own backward pass: it keeps one tensor of this size instead of several
            return MoELogits.apply(planes)  # type: ignore[no-untyped-call]
        rows = rows_at_once(self.num_classes)
        if planes.device.type != "cpu" or len(planes) <= rows:
            return moe_logits(planes)
        return torch.cat([moe_logits(block) for block in torch.split(planes, rows)])

    def loss(self, embedding: Tensor, targets: Tensor, criterion: Criterion = cross_entropy) -> Tensor:
        """As Head.loss; the cross-entropy of labels in one pass with its own backward (see moe_loss.py)."""
        if targets.dtype != torch.bool or criterion is not cross_entropy:
            return super().loss(embedding, targets, criterion)
        self.check(embedding, targets)
        return MoELoss.apply(embedding, self.weight, self.bias, targets)  # type: ignore[no-untyped-call]

    def _start_from(self, priors: Tensor) -> None:
        share = self.config.num_mixtures / (self.config.num_mixtures + 1)  # of the real experts, equal gates
        expert = priors.clamp(PRIOR_FLOOR, share * (1 - PRIOR_FLOOR)) / share
        with torch.no_grad():
            self.bias.copy_(torch.logit(expert).expand_as(self.bias))
