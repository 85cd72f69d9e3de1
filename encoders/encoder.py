"""What every encoder is: a torch module normalised features -> embedding, described by a frozen config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from encoders.options import positive

Level = Literal["video", "frame"]


@dataclass(frozen=True)
class EncoderConfig:
    """What all encoders have in common.

    Args:
        input_dim: numbers a video (or a frame) has, > 0; 1152 = 1024 rgb + 128 audio.
        dim: numbers an embedding has, > 0.
    """

    input_dim: int = 1152
    dim: int = 320

    def __post_init__(self) -> None:
        positive(input_dim=self.input_dim, dim=self.dim)


@dataclass(frozen=True)
class TrainingOutput:
    """What one training step of an encoder gives.

    Args:
        embedding: (B, dim), as `forward` gives it.
        sides: further embeddings (B, d) by name, those of `Encoder.side_dims`; each gets a head of its own
            while training, and none afterwards.
        loss: scalar that is added as it is (a reconstruction error); None for encoders without one.
    """

    embedding: Tensor
    sides: Mapping[str, Tensor] = field(default_factory=dict)
    loss: Tensor | None = None


class Encoder(nn.Module):
    """Base class.

    Video level: `forward(features (B, input_dim)) -> (B, dim)`.
    Frame level: `forward(frames (B, T, input_dim), num_frames (B,)) -> (B, dim)`; the frames from
    `num_frames` on are padding and never change a result.
    """

    level: ClassVar[Level] = "video"
    title: ClassVar[str] = ""
    """What reports call it, where {dim} stands for the embedding size."""

    @classmethod
    def titled(cls, options: Mapping[str, Any], dim: int) -> str:
        """What reports call an encoder with these options; options that are missing are left out."""
        return cls.title.format(dim=dim)

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config

    @property
    def input_dim(self) -> int:
        return self.config.input_dim

    @property
    def dim(self) -> int:
        return self.config.dim

    @property
    def side_dims(self) -> dict[str, int]:
        """Numbers of each embedding that gets a head of its own in training; most encoders have none."""
        return {}

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of each head's loss: "embedding" is the model's own head, the others are the sides."""
        return {"embedding": 1.0}

    def forward_training(self, *inputs: Tensor) -> TrainingOutput:
        """What the loss is computed from; takes what `forward` takes."""
        return TrainingOutput(self(*inputs))

    def training_only_parameters(self) -> list[nn.Parameter]:
        """Parameters that no embedding depends on (a decoder); most have none."""
        return []

    @property
    def last_dropout(self) -> nn.Dropout | None:
        """Drops values of the finished embedding in training: `self.dropout`, where an encoder has one."""
        return getattr(self, "dropout", None)

    def hand_over_dropout(self) -> float:
        """Drop nothing of the embedding from here on; the share that it was, for whoever does it then."""
        last = self.last_dropout
        if last is None:
            return 0.0
        share, last.p = last.p, 0.0
        return share

    def branch_parameters(self) -> list[nn.Parameter]:
        """Parameters of a branch that training may switch on later than the rest; most have none."""
        return []

    def set_warm(self, warm: bool) -> None:
        """While warm, leave the branch out. ValueError when that would change what an embedding is."""
        if warm:
            raise ValueError(f"{type(self).__name__} has no branch to leave out while it warms up")

    def penalty(self) -> Tensor:
        """What the training loss adds for the weights, a scalar; 0 unless an encoder says otherwise."""
        return torch.zeros((), device=next(self.parameters(), torch.zeros(())).device)

    def check_input(self, features: Tensor) -> None:
        """ValueError unless `features` is (B, input_dim), or (B, T, input_dim) at frame level."""
        axes = 2 if self.level == "video" else 3
        if features.dim() != axes or features.shape[-1] != self.input_dim:
            wanted = "(B, T, input_dim)" if axes == 3 else "(B, input_dim)"
            name, found = type(self).__name__, tuple(features.shape)
            raise ValueError(f"{name} takes {wanted} with input_dim = {self.input_dim}, not {found}")
