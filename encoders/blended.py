"""Mixup (Zhang et al. 2018): each video is blended with another one, after the input norm.

After the norm, not before: a norm to unit length would give every blend the length of a video, and the head
could no longer tell that it lies between two (measured: docs/experiments.md).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Blended(NamedTuple):
    """weight * video + (1 - weight) * partner, for each video of a batch.

    Args:
        inputs: raw features (B, D), or raw frames (B, T, D) and num_frames (B,).
        weight: floating point (B, 1), in [0, 1].
        partner: int64 (B,), the place in the batch of the video that each is blended with.
    """

    inputs: Tensor | tuple[Tensor, Tensor]
    weight: Tensor
    partner: Tensor

    @property
    def device(self) -> torch.device:
        return self.partner.device

    def of_features(self, features: Tensor) -> Tensor:
        """Blends (B, N) of rows (B, N): of normalised features, or of targets."""
        return torch.lerp(features[self.partner], features, self.weight.to(features.dtype))

    def of_frames(self, frames: Tensor, num_frames: Tensor) -> tuple[Tensor, Tensor]:
        """Blends of frames (B, T, D), and num_frames (B,); where one video has ended, the other goes on."""
        places, others = torch.arange(frames.shape[1], device=frames.device), num_frames[self.partner]
        share = self.weight.expand(-1, frames.shape[1])
        share = torch.where(places < others[:, None], share, 1.0)
        share = torch.where(places < num_frames[:, None], share, 0.0)
        blend = torch.lerp(frames[self.partner], frames, share[:, :, None].to(frames.dtype))
        return blend, torch.maximum(num_frames, others)
