"""Heads: embedding -> class logits (log-odds: sigmoid gives probabilities).

list_heads(); build_head(name, dim, num_classes, options) -> Head
head(embedding (B, dim)) -> logits (B, C)
head.loss(embedding, targets, criterion)    targets (B, C): labels as bool, or soft ones in [0, 1]
head.penalty(); head.set_class_priors(p)
"""

from encoders.heads.criteria import Asymmetric as Asymmetric
from encoders.heads.criteria import ClassWeighted as ClassWeighted
from encoders.heads.criteria import Criterion as Criterion
from encoders.heads.criteria import cross_entropy as cross_entropy
from encoders.heads.criteria import effective_number_weights as effective_number_weights
from encoders.heads.head import Head as Head
from encoders.heads.head import HeadConfig as HeadConfig
from encoders.heads.logistic import Logistic as Logistic
from encoders.heads.moe import MoE as MoE
from encoders.heads.moe import MoEConfig as MoEConfig
from encoders.heads.moe_loss import moe_logits as moe_logits
from encoders.heads.registry import build_head as build_head
from encoders.heads.registry import list_heads as list_heads
