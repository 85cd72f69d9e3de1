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
    """Options that all encoders have.

    Args:
        input_dim: dimensions of a video's (or a frame's) features, > 0; 1152 = 1024 rgb + 128 audio.
        dim: embedding size, > 0.
    """

    input_dim: int = 1152
    dim: int = 320

    def __post_init__(self) -> None:
        positive(input_dim=self.input_dim, dim=self.dim)


@dataclass(frozen=True)
class TrainingOutput:
    """Output of an encoder in a training step.

    Args:
        embedding: (B, dim), as `forward` gives it.
        sides: further embeddings (B, d) by name, those of `Encoder.side_dims`; each has a head of its own
            in training only.
        loss: scalar added to the loss (a reconstruction error); None for encoders without one.
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
    """Name in reports; {dim} stands for the embedding size."""

    @classmethod
    def titled(cls, options: Mapping[str, Any], dim: int) -> str:
        """Name in reports of an encoder with these options; missing options are left out."""
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
        """Sizes of the side embeddings, which have heads of their own in training; usually none."""
        return {}

    @property
    def loss_weights(self) -> dict[str, float]:
        """Weight of each head's loss: "embedding" is the model's own head, the others are the sides."""
        return {"embedding": 1.0}

    def forward_training(self, *inputs: Tensor) -> TrainingOutput:
        """What the loss is computed from; takes the arguments of `forward`."""
        return TrainingOutput(self(*inputs))

    def training_only_parameters(self) -> list[nn.Parameter]:
        """Parameters that no embedding depends on (a decoder); most have none."""
        return []

    @property
    def last_dropout(self) -> nn.Dropout | None:
        """Drops values of the finished embedding in training: `self.dropout`, where an encoder has one."""
        return getattr(self, "dropout", None)

    def hand_over_dropout(self) -> float:
        """Switch off the embedding's dropout and return its rate, for the caller to apply later instead."""
        last = self.last_dropout
        if last is None:
            return 0.0
        share, last.p = last.p, 0.0
        return share

    def branch_parameters(self) -> list[nn.Parameter]:
        """Parameters of a branch that training may switch on later than the rest; most have none."""
        return []

    def set_warm(self, warm: bool) -> None:
        """While warm, leave the branch out. ValueError if that would change the embedding."""
        if warm:
            raise ValueError(f"{type(self).__name__} has no branch to switch off: warm_epochs must be 0")

    def penalty(self) -> Tensor:
        """Penalty on the weights that the training loss adds, a scalar; 0 by default."""
        # On the weights' device; an encoder without weights (identity) has none.
        return torch.zeros((), device=next(self.parameters(), torch.zeros(())).device)

    def check_input(self, features: Tensor) -> None:
        """ValueError unless `features` is (B, input_dim), or (B, T, input_dim) at frame level."""
        axes = 2 if self.level == "video" else 3
        if features.dim() != axes or features.shape[-1] != self.input_dim:
            wanted = "(B, T, input_dim)" if axes == 3 else "(B, input_dim)"
            name, found = type(self).__name__, tuple(features.shape)
            raise ValueError(f"{name} takes {wanted} with input_dim = {self.input_dim}, not {found}")
