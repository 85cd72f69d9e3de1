"""Synthetic uint8 frames around a given mean: scenes, drift within a scene, noise.

The mean of the T dequantised frames is within half a quantisation step divided by T of the given one: the sum
over T frames is an integer, and every integer can be reached.
"""

from __future__ import annotations

import numpy as np

from compress.errors import RecordError, UsageError

STEP = 4 / 255  # between two quantised values
LOWEST = 4 / 512 - 2  # the value of 0
HIGHEST = 255 * STEP + LOWEST

FRAME_VARIANCE = 0.8  # of a whitened feature over all frames of all videos, clipping included
LEAST_VARIANCE = 0.15  # even the frames of a still video differ
SCENE_SHARE, DRIFT_SHARE = 0.65, 0.1  # of the variance within a video; the rest is noise
FRAMES_PER_SCENE = 20.0
NUM_FRAMES = (120, 300)  # least and most of a video, as those of YouTube-8M


def dequantize(frames: np.ndarray) -> np.ndarray:
    """uint8 (..., D) -> float64 (..., D), as the YouTube-8M starter code does."""
    return frames * STEP + LOWEST


def check_num_frames(num_frames: tuple[int, int]) -> None:
    """UsageError unless 1 <= least <= most."""
    if not 1 <= num_frames[0] <= num_frames[1]:
        raise UsageError(f"a video cannot have {num_frames[0]} to {num_frames[1]} frames")


def invent_frames(mean: np.ndarray, num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Frames that look like a video with this mean.

    Args:
        mean: float (D,), each in [LOWEST, HIGHEST].
        num_frames: T >= 1.

    Returns:
        uint8 (T, D); the mean of the dequantised frames is `mean` within STEP / (2 T).

    Raises:
        RecordError: the mean is outside the range of quantised frames.
    """
    variance = max(LEAST_VARIANCE, FRAME_VARIANCE - float(np.square(mean, dtype=np.float64).mean()))
    scene, place = _cut_into_scenes(num_frames, rng)
    count, dim = int(scene[-1]) + 1, len(mean)
    around = _normal((count, dim), SCENE_SHARE * variance, rng)
    drift = _normal((count, dim), 3.0 * DRIFT_SHARE * variance, rng)  # a uniform place has a variance of 1/3
    noise = _normal((num_frames, dim), (1.0 - SCENE_SHARE - DRIFT_SHARE) * variance, rng)
    differences = around[scene] + drift[scene] * place[:, None] + noise
    differences -= differences.mean(axis=0)
    return quantize_with_mean(mean + differences, mean, rng)


def quantize_with_mean(frames: np.ndarray, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Quantise frames, then move them so that their mean is right.

    In each dimension, frames move in proportion to their distance from the end of the range, so that none
    leaves it; the remainder goes to randomly chosen frames, one step each.

    Args:
        frames: float (T, D).
        mean: float (D,), of the dequantised frames of the result.

    Returns:
        uint8 (T, D).
    """
    num_frames = len(frames)
    wanted = np.rint((mean.astype(np.float64) - LOWEST) / STEP * num_frames).astype(np.int64)
    if not (np.isfinite(mean).all() and (wanted >= 0).all() and (wanted <= 255 * num_frames).all()):
        raise RecordError(
            f"the mean has values outside [{LOWEST}, {HIGHEST}], the range of quantised frames",
            hint="expand features that are whitened and clipped as those of YouTube-8M are",
        )
    codes = np.clip(np.rint((frames - LOWEST) / STEP), 0, 255).astype(np.int32)
    missing = wanted - codes.sum(axis=0)
    downwards = missing < 0
    room = np.where(downwards, codes, 255 - codes)
    moves = _share_out(np.abs(missing), room, rng)
    return (codes + np.where(downwards, -moves, moves)).astype(np.uint8)


def _share_out(amount: np.ndarray, room: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whole moves (T, D) with sums `amount` (D,), none above `room` (T, D), in proportion to it."""
    total = np.maximum(room.sum(axis=0), 1)
    moves = room * amount // total
    rest = amount - moves.sum(axis=0)
    # There are more frames with room than steps left: every frame that was rounded down has room.
    order = rng.permutation(len(room))
    open_frames = (moves < room)[order]
    taken = open_frames & (np.cumsum(open_frames, axis=0) <= rest)
    moves[order] += taken
    return moves


def _normal(shape: tuple[int, int], variance: float, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(variance))


def _cut_into_scenes(num_frames: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scene of each frame, int64 (T,), and its place in the scene from -1 to 1, float32 (T,)."""
    cuts = rng.random(num_frames) < 1.0 / FRAMES_PER_SCENE
    cuts[0] = False
    scene = np.cumsum(cuts)
    lengths = np.bincount(scene)
    starts = np.cumsum(lengths) - lengths
    place = (np.arange(num_frames) - starts[scene] + 0.5) / lengths[scene]
    return scene, (2.0 * place - 1.0).astype(np.float32)
