"""Statistics over the frames, then any video-level encoder.

Statistics ("mean",), encoder "identity" and a logistic head make the frame-average logistic model of
Abu-El-Haija et al. 2016, YouTube-8M: A Large-Scale Video Classification Benchmark, section 3.2. Deviation and
number of frames are what video-level features lack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from encoders.encoder import Encoder, EncoderConfig, TrainingOutput
from encoders.layers import pooling
from encoders.layers.norm import BatchNorm
from encoders.options import config_from, fraction
from encoders.registry import build_encoder, config_class, encoder_level, encoder_title, register

Statistic = Literal["mean", "std", "max", "min", "num_frames"]

FRAMES_UNIT = 300  # the starter code reads at most 300 frames (one per second): counts are scaled to [0, 1]


def frame_statistics(frames: Tensor, num_frames: Tensor, names: Sequence[Statistic]) -> Tensor:
    """Statistics over the valid frames, concatenated: (B, T, D), (B,) -> (B, statistics_width(D, names)).

    In the type of `frames`, computed at least in float32; zeros for a video without frames.
    """
    x = frames.to(torch.promote_types(frames.dtype, torch.float32))
    found = [_STATISTICS[name](x, num_frames) for name in names]
    return torch.cat(found, dim=1).to(frames.dtype)


def statistics_width(dim: int, names: Sequence[Statistic]) -> int:
    """Dimensions of `frame_statistics` for frames of `dim` dimensions."""
    return sum(1 if name == "num_frames" else dim for name in names)


def deviation(x: Tensor, num_frames: Tensor) -> Tensor:
    """Standard deviation of the valid frames as a population: (B, T, D), (B,) -> (B, D).

    0 for a single frame, with gradient 0 (the gradient of a square root at 0 is infinite).
    """
    mask = pooling.frame_mask(num_frames, x)[:, :, None]
    centred = torch.where(mask, x, 0) - pooling.mean(x, num_frames)[:, None]
    variance = pooling.mean(centred.square(), num_frames)
    varies = variance > 0  # `where` twice: the gradient also goes through the branch that is not taken
    return torch.where(varies, torch.where(varies, variance, 1).sqrt(), 0)


def _count(x: Tensor, num_frames: Tensor) -> Tensor:
    count = pooling.frame_mask(num_frames, x).sum(1, keepdim=True)
    return count.to(x.dtype) / FRAMES_UNIT


_STATISTICS: dict[Statistic, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": pooling.mean,
    "std": deviation,
    "max": pooling.maximum,
    "min": lambda x, num_frames: -pooling.maximum(-x, num_frames),
    "num_frames": _count,
}


@dataclass(frozen=True)
class FrameStatisticsConfig(EncoderConfig):
    """Options of FrameStatisticsEncoder.

    Args:
        dim: embedding size; 0, the default, is the default of `encoder`.
        statistics: taken over the valid frames and concatenated in this order: of each dimension "mean",
            "std" (of the population), "max", "min"; "num_frames" is one value, the number of frames / 300.
        standardize: batch norm on the statistics, so that all have the same scale.
        norm_momentum: weight of the newest batch in that norm's running statistics, in [0, 1).
        encoder: the video-level encoder that reads them.
        encoder_options: its options by name, without input_dim and dim; kept with every default written out.
    """

    dim: int = 0
    statistics: tuple[Statistic, ...] = ("mean", "std")
    standardize: bool = False
    norm_momentum: float = 0.1
    encoder: str = "mlp"
    encoder_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        fraction(norm_momentum=self.norm_momentum)
        if not self.statistics or len(set(self.statistics)) < len(self.statistics):
            raise ValueError(f"statistics must be at least one, each once, not {self.statistics}")
        inner = self.inner_config()
        object.__setattr__(self, "dim", inner.dim)
        options = {name: value for name, value in asdict(inner).items() if name not in _OURS}
        object.__setattr__(self, "encoder_options", options)  # the dataclass is frozen
        super().__post_init__()

    def inner_config(self) -> EncoderConfig:
        """Config of the video-level encoder; ValueError for a frame-level one or for wrong options."""
        where = f"encoder {self.encoder!r} of frame_statistics"
        if encoder_level(self.encoder) != "video":
            raise ValueError(f"{where} reads frame-level input; a video-level encoder is needed")
        given = sorted(_OURS & set(self.encoder_options))
        if given:
            raise ValueError(f"{where} takes no {', '.join(given)}: frame_statistics sets them")
        own = {"input_dim": statistics_width(self.input_dim, self.statistics)}
        own |= {"dim": self.dim} if self.dim else {}
        return config_from(config_class(self.encoder), {**self.encoder_options, **own}, where)


_OURS = {"input_dim", "dim"}


@register("frame_statistics", FrameStatisticsConfig)
class FrameStatisticsEncoder(Encoder):
    """statistics -> batch norm, if so configured -> `encoder`, which does everything else."""

    level = "frame"
    config: FrameStatisticsConfig

    @classmethod
    def titled(cls, options: Mapping[str, Any], dim: int) -> str:
        names = " and ".join(options.get("statistics", ()))
        encoder, own = options.get("encoder", "identity"), options.get("encoder_options", {})
        read_by = [] if encoder == "identity" else [encoder_title(encoder, own, dim)]
        return ", ".join([f"Frame statistics ({names})" if names else "Frame statistics", *read_by])

    def __init__(self, config: FrameStatisticsConfig) -> None:
        super().__init__(config)
        inner = config.inner_config()
        self.norm = BatchNorm(inner.input_dim, config.norm_momentum) if config.standardize else nn.Identity()
        self.encoder = build_encoder(config.encoder, inner)

    @property
    def side_dims(self) -> dict[str, int]:
        return self.encoder.side_dims

    @property
    def loss_weights(self) -> dict[str, float]:
        return self.encoder.loss_weights

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, dim)."""
        return self.encoder(self.pooled(frames, num_frames))

    def forward_training(self, *inputs: Tensor) -> TrainingOutput:
        frames, num_frames = inputs
        return self.encoder.forward_training(self.pooled(frames, num_frames))

    def pooled(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> input of the video-level encoder, (B, its input_dim)."""
        self.check_input(frames)
        return self.norm(frame_statistics(frames, num_frames, self.config.statistics))

    def training_only_parameters(self) -> list[nn.Parameter]:
        return self.encoder.training_only_parameters()

    def branch_parameters(self) -> list[nn.Parameter]:
        return self.encoder.branch_parameters()

    def set_warm(self, warm: bool) -> None:
        self.encoder.set_warm(warm)

    def penalty(self) -> Tensor:
        return self.encoder.penalty()
