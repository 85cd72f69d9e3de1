"""Mixup: each video of a batch is blended with another one of it, targets and all (Zhang et al. 2018)."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from compress.training.device.table import sent
from encoders import Blended, Inputs

_MIXUP = 0x6D6978  # beside seed and step: other random numbers than those of the order of the videos


def mixed(inputs: Inputs, targets: Tensor, alpha: float, seed: int, step: int) -> tuple[Blended, Tensor]:
    """A batch, to be blended: w * video + (1 - w) * partner, w of Beta(alpha, alpha), one for each video.

    Weights and partners are a function of (seed, step) alone, so that a training that is continued has
    nothing more to keep than the number of its step.

    Args:
        inputs: features (B, D), or frames (B, T, D), uint8 codes or floating point, and num_frames (B,).
        targets: (B, C) bool or floating point.
        alpha: > 0; small values leave most videos nearly as they are.
        seed, step: of the training, >= 0.

    Returns:
        What a model blends after its input norm, and the blended targets, float32.
    """
    assert not isinstance(inputs, Blended)
    random = np.random.default_rng([seed, step, _MIXUP])
    weight = sent(random.beta(alpha, alpha, len(targets)).astype(np.float32), targets.device)[:, None]
    partner = sent(random.permutation(len(targets)), targets.device)
    blended = Blended(inputs, weight, partner)
    return blended, blended.of_features(targets.float())
