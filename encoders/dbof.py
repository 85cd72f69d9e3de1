"""DBoF, deep bag of frames: each frame to many clusters, pooled without regard to order.

Source: Abu-El-Haija et al. 2016, YouTube-8M: A Large-Scale Video Classification Benchmark. Sizes and order of
the layers are those of the code of Garg 2018 (see residual_cnn.py), taken over from Google's starter code
(google/youtube-8m, frame_level_models.py). Table 2: "Multi-Modal, DBoF, DBoF".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from encoders.encoder import Encoder, EncoderConfig
from encoders.layers import pooling
from encoders.layers.frame_sampling import even_frames, random_frames
from encoders.layers.norm import BatchNorm, MaskedBatchNorm
from encoders.layers.pooling import self_weighted_mean
from encoders.layers.projection import output_projection
from encoders.layers.video_chunks import by_chunks
from encoders.options import fraction, not_negative, positive
from encoders.registry import register


@dataclass(frozen=True)
class DBoFConfig(EncoderConfig):
    """Options of DBoFEncoder.

    Args:
        dim: numbers an embedding has; 0, the default, is hidden_size; another adds a linear projection.
        cluster_size: clusters, the width that is pooled; papers 8192.
        hidden_size: width of the layer after pooling; papers 1024.
        sample_frames: frames of a video drawn at random in each training step; papers 30; 0: all.
        evaluation_frames: "all" valid frames, or "even": sample_frames evenly spaced ones. The papers' code
            draws at random in evaluation too. The more frames, the higher their maximum: "even" stays closer
            to what training saw, "all" sees everything.
        pooling: over frames, "max" (papers), "mean", "swap" (self-weighted mean) or "attention".
        batch_norm: the three norms; without them the linear layers have biases.
        norm_momentum: weight of the newest batch in the running statistics, in [0, 1); papers 0.001 (decay
            0.999), which needs thousands of steps; short runs want 0.01 to 0.1.
        norm_eps: papers 1e-3.
        norm_scale: learn batch norm's factor gamma; DBoF's code does, unlike the papers' other encoders.
        embedding_dropout: ours: share of the embedding's numbers dropped in training, in [0, 1).
    """

    dim: int = 0
    cluster_size: int = 8192
    hidden_size: int = 1024
    sample_frames: int = 30
    evaluation_frames: Literal["all", "even"] = "all"
    pooling: Literal["max", "mean", "swap", "attention"] = "max"
    batch_norm: bool = True
    norm_momentum: float = 0.001
    norm_eps: float = 1e-3
    norm_scale: bool = True
    embedding_dropout: float = 0.0

    def __post_init__(self) -> None:
        positive(cluster_size=self.cluster_size, hidden_size=self.hidden_size, norm_eps=self.norm_eps)
        object.__setattr__(self, "dim", self.dim or self.hidden_size)
        super().__post_init__()
        not_negative(sample_frames=self.sample_frames)
        fraction(norm_momentum=self.norm_momentum, embedding_dropout=self.embedding_dropout)
        if self.evaluation_frames == "even" and not self.sample_frames:
            raise ValueError("evaluation_frames 'even' needs sample_frames > 0: how many")


@register("dbof", DBoFConfig)
class DBoFEncoder(Encoder):
    """norm -> clusters -> norm -> ReLU6 -> pool -> hidden -> norm -> ReLU6.

    The first norm has no shift (the second would take it out); otherwise the layers are the papers'.
    """

    level = "frame"
    config: DBoFConfig

    def __init__(self, config: DBoFConfig) -> None:
        super().__init__(config)
        norm = (config.norm_momentum, config.norm_eps, config.norm_scale)
        normed, width, hidden = config.batch_norm, config.cluster_size, config.hidden_size
        self.input_norm = MaskedBatchNorm(config.input_dim, *norm, shift=False) if normed else None
        self.clusters = _linear(config.input_dim, width, bias=not normed)
        self.cluster_norm = MaskedBatchNorm(width, *norm) if normed else None
        self.pool = _pool(config)
        self.hidden = _linear(width, hidden, bias=not normed)
        self.hidden_norm = BatchNorm(hidden, *norm) if normed else nn.Identity()
        self.projection = output_projection(hidden, config.dim)
        self.dropout = nn.Dropout(config.embedding_dropout)

    @property
    def last_dropout(self) -> nn.Dropout:
        """Of the embedding."""
        return self.dropout

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, dim)."""
        self.check_input(frames)
        frames, num_frames = self._chosen(frames, num_frames)
        if self.training:
            pooled = self._pooled(frames, num_frames)
        else:
            pooled = by_chunks(self._pooled, frames, num_frames, self.config.cluster_size)
        hidden = F.relu6(self.hidden_norm(self.hidden(pooled)))
        embedding: Tensor = self.dropout(self.projection(hidden))
        return embedding

    def _chosen(self, frames: Tensor, num_frames: Tensor) -> tuple[Tensor, Tensor]:
        """The frames to look at, and how many."""
        count = self.config.sample_frames
        if self.training and count:
            return random_frames(frames, num_frames, count)
        if not self.training and self.config.evaluation_frames == "even":
            return even_frames(frames, num_frames, count)
        return frames, num_frames

    def _pooled(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, cluster_size)."""
        mask = pooling.frame_mask(num_frames, frames)
        normed = frames if self.input_norm is None else self.input_norm(frames, mask)
        clusters = self.clusters(normed)
        if self.cluster_norm is not None:
            clusters = self.cluster_norm(clusters, mask)
        return self.pool(F.relu6(clusters), num_frames)


def _linear(inputs: int, outputs: int, bias: bool) -> nn.Linear:
    """Normal weights of variance 1 / inputs, as in the starter code; zero bias."""
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.normal_(layer.weight, std=inputs**-0.5)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def _pool(config: DBoFConfig) -> Callable[[Tensor, Tensor], Tensor]:
    if config.pooling == "attention":
        return pooling.AttentionPooling(config.cluster_size)
    return {"max": pooling.maximum, "mean": pooling.mean, "swap": self_weighted_mean}[config.pooling]
