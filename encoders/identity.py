"""The features as they are: the baseline that every other encoder is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from encoders.encoder import Encoder, EncoderConfig
from encoders.registry import register


@dataclass(frozen=True)
class IdentityConfig(EncoderConfig):
    """Options of IdentityEncoder.

    Args:
        dim: input_dim, or 0 (the default), which stands for it.
    """

    dim: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "dim", self.dim or self.input_dim)
        super().__post_init__()
        if self.dim != self.input_dim:
            raise ValueError(
                f"identity keeps all {self.input_dim} dimensions; dim = {self.dim} is not possible"
            )


@register("identity", IdentityConfig)
class IdentityEncoder(Encoder):
    """embedding = features."""

    title = "Original features"

    def forward(self, features: Tensor) -> Tensor:
        """(B, input_dim) -> the same."""
        self.check_input(features)
        return features
