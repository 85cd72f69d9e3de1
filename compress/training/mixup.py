"""Mixup: each video of a batch is blended with another one of it, targets and all (Zhang et al. 2018)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from compress.training.device.table import sent
from encoders import Inputs, dequantize

_MIXUP = 0x6D6978  # beside seed and step: other random numbers than those of the order of the videos


def mixed(inputs: Inputs, targets: Tensor, alpha: float, seed: int, step: int) -> tuple[Inputs, Tensor]:
    """A batch, blended: w * video + (1 - w) * partner, with w of Beta(alpha, alpha), one for each video.

    Weights and partners are a function of (seed, step) alone, so that a training that is continued has
    nothing more to keep than the number of its step.

    Args:
        inputs: features (B, D), or frames (B, T, D), uint8 codes or floating point, and num_frames (B,).
        targets: (B, C) bool or floating point.
        alpha: > 0; small values leave most videos nearly as they are.
        seed, step: of the training, >= 0.

    Returns:
        Features or frames of the same shape, floating point, and targets float32. Frames are blended one by
        one; where one of the two videos has ended, the other one goes on alone.
    """
    random = np.random.default_rng([seed, step, _MIXUP])
    weight = sent(random.beta(alpha, alpha, len(targets)).astype(np.float32), targets.device)[:, None]
    partner = sent(random.permutation(len(targets)), targets.device)
    soft = targets.float()
    soft = torch.lerp(soft[partner], soft, weight)
    if isinstance(inputs, Tensor):
        return torch.lerp(inputs[partner], inputs, weight.to(inputs.dtype)), soft
    return _mixed_frames(*inputs, weight, partner), soft


def _mixed_frames(
    frames: Tensor, num_frames: Tensor, weight: Tensor, partner: Tensor
) -> tuple[Tensor, Tensor]:
    frames = dequantize(frames) if frames.dtype == torch.uint8 else frames
    places, others = torch.arange(frames.shape[1], device=frames.device), num_frames[partner]
    share = weight.expand(-1, frames.shape[1])
    share = torch.where(places < others[:, None], share, 1.0)
    share = torch.where(places < num_frames[:, None], share, 0.0)
    blend = torch.lerp(frames[partner], frames, share[:, :, None].to(frames.dtype))
    return blend, torch.maximum(num_frames, others)
