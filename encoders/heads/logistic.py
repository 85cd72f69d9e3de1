"""One logistic regression per class (models.md section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.heads.head import PRIOR_FLOOR, Head, HeadConfig
from encoders.heads.registry import register


@register("logistic", HeadConfig)
class Logistic(Head):
    """p = sigmoid(W x + b). `weight` (C, dim) Xavier-uniform, `bias` (C,) zero."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__(config)
        self.weight = nn.Parameter(torch.empty(config.num_classes, config.dim))
        self.bias = nn.Parameter(torch.zeros(config.num_classes))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, embedding: Tensor) -> Tensor:
        """(B, dim) -> logits (B, C), float32."""
        self.check(embedding)
        logits = F.linear(embedding, self.weight, self.bias)
        return logits if logits.dtype == torch.float64 else logits.float()

    def _start_from(self, priors: Tensor) -> None:
        with torch.no_grad():
            self.bias.copy_(torch.logit(priors.clamp(PRIOR_FLOOR, 1 - PRIOR_FLOOR)))
