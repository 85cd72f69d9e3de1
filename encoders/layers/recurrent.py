"""Base of the LSTM and QRNN encoders: options, pooling over the frames, projection to the embedding size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from encoders.encoder import Encoder, EncoderConfig
from encoders.layers import pooling
from encoders.layers.dropout import Dropout
from encoders.layers.fully_connected import output_projection
from encoders.layers.pooling import FramePooling
from encoders.options import fraction, listed, not_negative, pooled, positive, projected

Pool = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class RecurrentConfig(EncoderConfig):
    """Options of the recurrent encoders.

    Args:
        dim: embedding size; 0: the width of a pooled state; another adds a linear projection.
        sizes: width of each layer, of each direction; at least one.
        pooling: "last" valid state (papers' default), "mean", "max" or "attention" over the valid frames;
            "raw_attention" has no softmax, as the papers' code, unlike their Eq. 9.
        attention_penalty: L2 on the weight of either attention, >= 0; papers' code 0.5, their text none.
        forget_bias: initial bias of the forget gate; papers 1.
        dropout: ours: dropout rate between layers, in [0, 1).
        embedding_dropout: ours: dropout rate of the embedding, in [0, 1).
    """

    dim: int = 0
    sizes: tuple[int, ...] = ()
    pooling: FramePooling = "last"
    attention_penalty: float = 0.0
    forget_bias: float = 1.0
    dropout: float = 0.0
    embedding_dropout: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(self.sizes))
        if not self.sizes:
            raise ValueError("sizes must name at least one layer")
        positive(**{f"sizes[{index}]": size for index, size in enumerate(self.sizes)})
        fraction(dropout=self.dropout, embedding_dropout=self.embedding_dropout)
        not_negative(attention_penalty=self.attention_penalty)
        object.__setattr__(self, "dim", self.dim or self.width)
        super().__post_init__()

    @property
    def width(self) -> int:
        """Width of a pooled state."""
        return self.sizes[-1]


class RecurrentEncoder(Encoder, ABC):
    """Frames -> states, pooled over the valid frames -> projection to `dim` -> dropout.

    The first `num_frames` states must depend on the first `num_frames` frames alone: then padding needs no
    packing. Under bfloat16 autocast states are bfloat16, so that nothing is cast between layers.

    Args:
        config: the options.
        layers: all layers before the pooling.
        last: the pooling "last": picks the state, or its parts, that depend on all frames.
    """

    level = "frame"
    both_ways: ClassVar[bool] = False
    """Whether `sizes` are those of one direction, and states hold both directions."""

    config: RecurrentConfig
    layers: nn.Module

    def __init__(self, config: RecurrentConfig, layers: nn.Module, last: Pool = pooling.last) -> None:
        super().__init__(config)
        self.layers = layers
        self.between = Dropout(config.dropout)
        self.pool = _pool(config, last)
        self.project = output_projection(config.width, config.dim)
        self.dropout = Dropout(config.embedding_dropout)

    @classmethod
    def titled(cls, options: Mapping[str, Any], dim: int) -> str:
        ways = 2 if cls.both_ways or options.get("bidirectional") else 1
        sizes = [size * ways for size in options.get("sizes", ())]
        words = [f"{cls.title} {listed(sizes)}".rstrip(), *cls.extras(options)]
        words += ["concatenated"] if options.get("between") == "concatenate" else []
        words += ["residual"] if options.get("residual") else []
        return ", ".join([*words, *pooled(options), *projected(sizes, dim)])

    @classmethod
    def extras(cls, options: Mapping[str, Any]) -> list[str]:
        """What a title says about the layers, besides their sizes."""
        return []

    @abstractmethod
    def states(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, T, config.width), in the order of time."""

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """(B, T, input_dim), (B,) -> (B, dim)."""
        self.check_input(frames)
        frames = _up_to_the_longest(frames, num_frames)
        pooled = self.pool(self.states(frames, num_frames), num_frames)
        return self.dropout(self.project(pooled))

    def penalty(self) -> Tensor:
        """attention_penalty * sum(attention weight ** 2) / 2, as TensorFlow's l2_regularizer."""
        if not isinstance(self.pool, pooling.AttentionPooling):
            return super().penalty()
        return 0.5 * self.config.attention_penalty * self.pool.weight.square().sum()


def _up_to_the_longest(frames: Tensor, num_frames: Tensor) -> Tensor:
    """Without the padding that all videos share, but with one frame at least."""
    if frames.device.type != "cpu":
        return frames  # reading the lengths would stall a GPU
    return frames[:, : max(1, int(pooling.frame_mask(num_frames, frames).any(0).sum()))]


def _pool(config: RecurrentConfig, last: Pool) -> Pool:
    if config.pooling in ("attention", "raw_attention"):
        return pooling.AttentionPooling(config.width, softmax=config.pooling == "attention")
    return {"last": last, "mean": pooling.mean, "max": pooling.maximum}[config.pooling]
