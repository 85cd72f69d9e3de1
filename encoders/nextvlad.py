"""NeXtVLAD: grouped VLAD of the frames, one hidden layer, context gating.

Source: Lin, Xiao, Fan 2018 (see layers/grouped_vlad.py) and its code (linrongc/youtube-8m, nextvlad.py). The
code runs one of these for rgb and a smaller one (K / 2, G / 2) for audio, after undoing the PCA whitening of
the frames; here one encoder reads the whole frames as the input norm gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from encoders.encoder import Encoder, EncoderConfig
from encoders.layers.dropout import Dropout
from encoders.layers.fully_connected import output_projection
from encoders.layers.grouped_vlad import ContextGating, GroupedVLAD
from encoders.layers.norm import BatchNorm, norm_without_shift
from encoders.layers.pooling import by_chunks
from encoders.options import fraction, not_negative, positive
from encoders.registry import register


@dataclass(frozen=True)
class NeXtVLADConfig(EncoderConfig):
    """Options of NeXtVLADEncoder.

    Args:
        dim: embedding size; 0, the default, is hidden_size; another adds a linear projection.
        expansion: lambda, a frame is expanded to expansion * input_dim dimensions; paper 2.
        groups: G, groups the expanded frame is cut into, a divisor of expansion * input_dim; paper 8.
        clusters: K; the authors' runs 128, their code's default 64.
        hidden_size: width of the layer after VLAD; the authors' runs 2048, their code's default 1024.
        hidden_activation: "relu" or "none"; in the authors' code the ReLU is commented out.
        gating_reduction: width of the gating layer is hidden_size // gating_reduction; paper 8; 0: no gating.
        dropout: dropout rate of the VLAD vector, in [0, 1); paper 0.5.
        norm_momentum: weight of the newest batch in the running statistics, in [0, 1); the code's is 0.001,
            which needs thousands of steps; short runs want 0.01 to 0.1.
        norm_eps: the code's 1e-3.
        norm_scale: learn batch norm's factor gamma; the code does.
        embedding_dropout: ours: dropout rate of the embedding, in [0, 1).
    """

    dim: int = 0
    expansion: int = 2
    groups: int = 8
    clusters: int = 64
    hidden_size: int = 1024
    hidden_activation: Literal["relu", "none"] = "relu"
    gating_reduction: int = 8
    dropout: float = 0.5
    norm_momentum: float = 0.001
    norm_eps: float = 1e-3
    norm_scale: bool = True
    embedding_dropout: float = 0.0

    def __post_init__(self) -> None:
        sizes = {"expansion": self.expansion, "groups": self.groups, "clusters": self.clusters}
        positive(**sizes, hidden_size=self.hidden_size, norm_eps=self.norm_eps)
        object.__setattr__(self, "dim", self.dim or self.hidden_size)
        super().__post_init__()
        not_negative(gating_reduction=self.gating_reduction)
        dropouts = {"dropout": self.dropout, "embedding_dropout": self.embedding_dropout}
        fraction(norm_momentum=self.norm_momentum, **dropouts)
        expanded = self.expansion * self.input_dim
        if expanded % self.groups:
            raise ValueError(
                f"expansion * input_dim = {expanded} must be a multiple of groups = {self.groups}"
            )


@register("nextvlad", NeXtVLADConfig)
class NeXtVLADEncoder(Encoder):
    """VLAD -> norm -> dropout -> hidden -> norm -> ReLU -> context gating.

    The norm after VLAD has no shift: the norm after the hidden layer would remove it.
    """

    level = "frame"
    config: NeXtVLADConfig

    @classmethod
    def titled(cls, options: Mapping[str, Any], dim: int) -> str:
        clusters = [f"{options['clusters']} clusters"] if "clusters" in options else []
        return ", ".join([f"NeXtVLAD {dim or ''}".rstrip(), *clusters])

    def __init__(self, config: NeXtVLADConfig) -> None:
        super().__init__(config)
        norm = (config.norm_momentum, config.norm_eps, config.norm_scale)
        hidden, reduction = config.hidden_size, config.gating_reduction
        self.vlad = GroupedVLAD(config.input_dim, config.expansion, config.groups, config.clusters, *norm)
        self.vlad_norm = norm_without_shift(self.vlad.width, *norm)
        self.vlad_dropout = Dropout(config.dropout)
        self.hidden = nn.Linear(self.vlad.width, hidden, bias=False)
        nn.init.kaiming_normal_(self.hidden.weight)
        self.hidden_norm = BatchNorm(hidden, *norm)
        self.gating = ContextGating(hidden, reduction, *norm) if reduction else nn.Identity()
        self.projection = output_projection(hidden, config.dim)
        self.dropout = Dropout(config.embedding_dropout)

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, dim)."""
        self.check_input(frames)
        if self.training:
            vlad = self.vlad(frames, num_frames)
        else:
            width = max(self.config.expansion * self.input_dim, self.config.groups * self.config.clusters)
            vlad = by_chunks(self.vlad, frames, num_frames, width)
        hidden = self.hidden_norm(self.hidden(self.vlad_dropout(self.vlad_norm(vlad))))
        if self.config.hidden_activation == "relu":
            hidden = torch.relu(hidden)
        return self.dropout(self.projection(self.gating(hidden)))
