"""A few videos at a time, so that what is computed of each frame never fills the memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

BUDGET = 2**26  # numbers of one intermediate result: 256 MiB of float32


def by_chunks(
    pool: Callable[[Tensor, Tensor], Tensor], frames: Tensor, num_frames: Tensor, width: int
) -> Tensor:
    """pool(frames, num_frames), chunk after chunk; for evaluation, where no video depends on another.

    Args:
        pool: (B, T, D), (B,) -> (B, ...).
        frames: (B, T, D).
        num_frames: (B,).
        width: numbers that `pool` makes of each frame, at most.

    Returns:
        What `pool` gives for all videos at once.
    """
    videos = max(1, BUDGET // max(1, frames.shape[1] * width))
    if len(frames) <= videos:
        return pool(frames, num_frames)
    parts = zip(torch.split(frames, videos), torch.split(num_frames, videos), strict=True)
    return torch.cat([pool(some, lengths) for some, lengths in parts])
