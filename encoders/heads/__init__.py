"""Heads: embedding -> class log-odds.

list_heads(); build_head(name, dim, num_classes, options) -> Head
head(embedding (B, dim)) -> logits (B, C)
head.loss(embedding, labels); head.penalty(); head.set_class_priors(p)
"""

from encoders.heads.head import Head, HeadConfig
from encoders.heads.logistic import Logistic
from encoders.heads.moe import MoE, MoEConfig, moe_logits
from encoders.heads.registry import build_head, list_heads

__all__ = ["Head", "HeadConfig", "Logistic", "MoE", "MoEConfig", "build_head", "list_heads", "moe_logits"]
