"""DBoF, deep bag of frames: each frame is assigned to many clusters, then pooled; their order has no effect.

Source: Abu-El-Haija et al. 2016, YouTube-8M: A Large-Scale Video Classification Benchmark. Sizes and order of
the layers are those of the code of Garg 2018 (see residual_cnn.py), taken over from Google's starter code
(google/youtube-8m, frame_level_models.py). Table 2: "Multi-Modal, DBoF, DBoF".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from encoders.encoder import Encoder, EncoderConfig
from encoders.layers import pooling
from encoders.layers.dropout import Dropout
from encoders.layers.fully_connected import output_projection
from encoders.layers.norm import BatchNorm, MaskedBatchNorm
from encoders.layers.pooling import by_chunks, frame_mask, self_weighted_mean
from encoders.options import fraction, listed, not_negative, pooled, positive, projected
from encoders.registry import register


def random_frames(frames: Tensor, num_frames: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """`count` valid frames of each video, drawn uniformly with replacement: (B, count, D), num_frames (B,).

    As SampleRandomFrames of Google's starter code (google/youtube-8m, model_utils.py): of a video with fewer
    than `count` frames some are drawn twice; a video without frames still has none.
    """
    available = frame_mask(num_frames, frames).sum(1)
    # From the CPU's generator also for frames on a GPU: its state is in every checkpoint, so that a resumed
    # training draws the same frames.
    position = torch.rand(len(frames), count).to(frames.device)
    # The product may round up to the number of frames itself: stay on the last one.
    index = (position * available[:, None]).long().minimum(available[:, None] - 1).clamp_min(0)
    return _take(frames, index), (available > 0) * count


def even_frames(frames: Tensor, num_frames: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The middle frames of `count` equal parts of each video, or all its frames if it has fewer.

    Returns (B, min(count, T), D), and the number of frames (B,).
    """
    available = frame_mask(num_frames, frames).sum(1)
    kept = available.clamp_max(count)[:, None]
    part = torch.arange(min(count, frames.shape[1]), device=frames.device)
    index = (2 * part + 1) * available[:, None] // (2 * kept.clamp_min(1))
    return _take(frames, index.clamp_max(frames.shape[1] - 1)), kept[:, 0]


def _take(frames: Tensor, index: Tensor) -> Tensor:
    """Frames (B, T, D) by index (B, count) -> (B, count, D)."""
    return frames.gather(1, index[:, :, None].expand(-1, -1, frames.shape[2]))


@dataclass(frozen=True)
class DBoFConfig(EncoderConfig):
    """Options of DBoFEncoder.

    Args:
        dim: embedding size; 0, the default, is hidden_size; another adds a linear projection.
        cluster_size: clusters, the width that is pooled; papers 8192.
        hidden_size: width of the layer after pooling; papers 1024.
        sample_frames: frames of a video drawn at random in each training step; papers 30; 0: all.
        evaluation_frames: "all" valid frames, or "even": sample_frames evenly spaced ones. The papers' code
            draws at random in evaluation too. The maximum grows with the number of frames, so "even" is
            closer to what training saw; "all" misses nothing.
        pooling: over frames, "max" (papers), "mean", "swap" (self-weighted mean) or "attention".
        batch_norm: the three norms; without them the linear layers have biases.
        norm_momentum: weight of the newest batch in the running statistics, in [0, 1); papers 0.001 (decay
            0.999), which needs thousands of steps; short runs want 0.01 to 0.1.
        norm_eps: papers 1e-3.
        norm_scale: learn batch norm's factor gamma; DBoF's code does, unlike the papers' other encoders.
        embedding_dropout: ours: dropout rate of the embedding, in [0, 1).
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
            raise ValueError("evaluation_frames 'even' needs sample_frames > 0")


@register("dbof", DBoFConfig)
class DBoFEncoder(Encoder):
    """norm -> clusters -> norm -> ReLU6 -> pool -> hidden -> norm -> ReLU6.

    The first norm has no shift (the second norm would remove it); otherwise the layers are the papers'.
    """

    level = "frame"
    config: DBoFConfig

    @classmethod
    def titled(cls, options: Mapping[str, Any], dim: int) -> str:
        sizes = [options[name] for name in ("cluster_size", "hidden_size") if name in options]
        words = f"DBoF {listed(sizes)}".rstrip()
        return ", ".join([words, *pooled(options), *projected(sizes[1:], dim)])

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
        self.dropout = Dropout(config.embedding_dropout)

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, dim)."""
        self.check_input(frames)
        frames, num_frames = self._chosen(frames, num_frames)
        if self.training:
            pooled = self._pooled(frames, num_frames)
        else:
            pooled = by_chunks(self._pooled, frames, num_frames, self.config.cluster_size)
        hidden = F.relu6(self.hidden_norm(self.hidden(pooled)))
        return self.dropout(self.projection(hidden))

    def _chosen(self, frames: Tensor, num_frames: Tensor) -> tuple[Tensor, Tensor]:
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
