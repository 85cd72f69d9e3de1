"""Some frames of each video instead of all of them."""

from __future__ import annotations

import torch
from torch import Tensor

from encoders.layers.pooling import frame_mask


def random_frames(frames: Tensor, num_frames: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """`count` valid frames of each video, drawn evenly and with replacement.

    As SampleRandomFrames of Google's starter code (google/youtube-8m, model_utils.py): a video of fewer than
    `count` frames has some of them twice. Drawn by torch's global generator of the CPU, also for frames on
    a GPU: a resumed training draws what it would have drawn.

    Args:
        frames: (B, T, D).
        num_frames: (B,) integers in [0, T].
        count: frames to draw, > 0.

    Returns:
        (B, count, D), and how many of them count (B,): `count`, or 0 for a video without frames.

    Raises:
        ValueError: num_frames of a wrong shape or out of range.
    """
    available = frame_mask(num_frames, frames).sum(1)
    position = torch.rand(len(frames), count).to(frames.device)
    # The product may round up to the number of frames itself: stay on the last one.
    index = (position * available[:, None]).long().minimum(available[:, None] - 1).clamp_min(0)
    return _take(frames, index), (available > 0) * count


def even_frames(frames: Tensor, num_frames: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """At most `count` valid frames of each video: the middles of `count` equal parts of it, or all frames.

    Args:
        frames: (B, T, D).
        num_frames: (B,) integers in [0, T].
        count: most frames to keep, > 0.

    Returns:
        (B, min(count, T), D), and how many of them count (B,).

    Raises:
        ValueError: num_frames of a wrong shape or out of range.
    """
    available = frame_mask(num_frames, frames).sum(1)
    kept = available.clamp_max(count)[:, None]
    part = torch.arange(min(count, frames.shape[1]), device=frames.device)
    index = (2 * part + 1) * available[:, None] // (2 * kept.clamp_min(1))
    return _take(frames, index.clamp_max(frames.shape[1] - 1)), kept[:, 0]


def _take(frames: Tensor, index: Tensor) -> Tensor:
    """Frames (B, T, D) by index (B, count) -> (B, count, D)."""
    return frames.gather(1, index[:, :, None].expand(-1, -1, frames.shape[2]))
