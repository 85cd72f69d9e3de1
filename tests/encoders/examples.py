"""Small encoders and inputs for the tests of this area."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from encoders import Encoder, build_encoder

SMALL = {"input_dim": 16, "dim": 16}  # equal, so that even the identity can be built


def small_encoder(name: str, **options: Any) -> Encoder:
    torch.manual_seed(0)
    return build_encoder(name, {**SMALL, **options}).eval()


def inputs_for(encoder: Encoder, batch: int, frames: int = 7, seed: int = 1) -> tuple[Tensor, ...]:
    """Random (features,) or (frames, num_frames with every length from `frames` down)."""
    generator = torch.Generator().manual_seed(seed)
    if encoder.level == "video":
        return (torch.randn(batch, encoder.input_dim, generator=generator),)
    sequence = torch.randn(batch, frames, encoder.input_dim, generator=generator)
    return sequence, frames - torch.arange(batch) % frames
