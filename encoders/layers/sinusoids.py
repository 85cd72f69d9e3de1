"""Positions of frames as sinusoids: any number of frames, nothing learned, nothing kept.

Source: Vaswani et al., Attention Is All You Need (2017), section 3.5.
"""

from __future__ import annotations

import torch
from torch import Tensor

LONGEST_WAVE = 10_000.0  # times 2 pi frames


def sinusoids(frames: int, width: int, device: torch.device) -> Tensor:
    """Row t is sin(t * f), then cos(t * f), for width / 2 frequencies f falling from 1 to 1 / LONGEST_WAVE.

    Args:
        frames: T, >= 0.
        width: numbers of a row, even.
        device: where the result is wanted.

    Returns:
        (T, width) float32; the first rows do not depend on T.
    """
    half = width // 2
    exponents = torch.arange(half, dtype=torch.float32, device=device) / half
    times = torch.arange(frames, dtype=torch.float32, device=device)
    phases = times[:, None] * LONGEST_WAVE**-exponents
    return torch.cat([torch.sin(phases), torch.cos(phases)], dim=1)
