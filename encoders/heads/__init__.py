"""Heads: embedding -> class log-odds.

list_heads(); build_head(name, dim, num_classes, options) -> Head
head(embedding (B, dim)) -> logits (B, C)
head.loss(embedding, targets, criterion)    targets (B, C): labels as bool, or soft ones in [0, 1]
head.penalty(); head.set_class_priors(p)
"""

from encoders.heads.criteria import (
    Asymmetric,
    ClassWeighted,
    Criterion,
    cross_entropy,
    effective_number_weights,
)
from encoders.heads.head import Head, HeadConfig
from encoders.heads.logistic import Logistic
from encoders.heads.moe import MoE, MoEConfig
from encoders.heads.moe_loss import moe_logits
from encoders.heads.registry import build_head, list_heads

__all__ = [
    "Asymmetric",
    "ClassWeighted",
    "Criterion",
    "Head",
    "HeadConfig",
    "Logistic",
    "MoE",
    "MoEConfig",
    "build_head",
    "cross_entropy",
    "effective_number_weights",
    "list_heads",
    "moe_logits",
]
