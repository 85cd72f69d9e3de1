"""The sound track of a video as mono samples, and log-mel patches of it as VGGish reads them.

Source of the patches: VGGish of the AudioSet project (mel_features.py, vggish_params.py): 25 ms windows
every 10 ms, magnitudes of a 512-point transform, 64 mel bands of the HTK scale, log(mel + 0.01), patches of
96 x 64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np

from compress.extract.frames import opened, raise_if_not_of_the_file, reason

RATE = 16_000  # samples per second
WINDOW, HOP, TRANSFORM = 400, 160, 512  # samples: 25 ms, 10 ms, and the power of two above the window
BANDS, LOWEST_HZ, HIGHEST_HZ = 64, 125.0, 7500.0
LOG_OFFSET = 0.01
PATCH_ROWS = 96  # 0.96 s
ROWS_PER_SECOND = RATE // HOP
_LOST_SAMPLES = RATE // 20  # a jump of the track's clock; less than this is rounding of the container


@dataclass(frozen=True)
class Heard:
    """The sound track of a video.

    Args:
        samples: mono at 16 kHz, float32 (n,) between -1 and 1.
        damage: what is wrong with the rest of the track, which is silent here; empty for a sound file.
    """

    samples: np.ndarray
    damage: str = ""


def decode_sound(path: Path, start: Fraction, seconds: float) -> Heard | None:
    """The sound from `start` on; None without a sound track.

    Where the track has gaps, or begins later than the film, it is silent; what comes before `start` is cut.

    Args:
        path: the video.
        start: time of the film's first frame, in seconds of the container's clock.
        seconds: how much to decode.

    Raises:
        DataError: not a media file.
    """
    wanted = math.ceil(seconds * RATE)
    samples, damage = np.zeros(wanted, dtype=np.float32), ""
    with opened(path) as container:
        if not container.streams.audio:
            return None
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            return Heard(samples, "its sound has a codec that FFmpeg does not know")
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        position: int | None = None
        try:
            for frame in container.decode(stream):
                for piece in resampler.resample(frame):
                    position = _place(samples, piece, position, start)
                if position is not None and position >= wanted:
                    break
        except (av.FFmpegError, ValueError) as error:
            raise_if_not_of_the_file(error)
            damage = f"its sound is damaged after {(position or 0) / RATE:.1f} s ({reason(error)})"
    return Heard(samples, damage)


def _place(samples: np.ndarray, piece: av.AudioFrame, position: int | None, start: Fraction) -> int:
    """Put a piece of the track in its place; returns the place after it."""
    if piece.pts is not None and piece.time_base:
        said = round((piece.pts * Fraction(piece.time_base) - start) * RATE)
        if position is None or abs(said - position) > _LOST_SAMPLES:
            position = said
    position = position or 0
    values = piece.to_ndarray().reshape(-1)
    first, last = max(position, 0), min(position + len(values), len(samples))
    if first < last:
        samples[first:last] = values[first - position : last - position]
    return position + len(values)


def seconds_needed(num_frames: int, fps: Fraction) -> float:
    """How much sound the patches of `num_frames` moments need."""
    rows = _first_row(num_frames - 1, fps) + PATCH_ROWS
    return ((rows - 1) * HOP + WINDOW) / RATE


def patches(samples: np.ndarray, num_frames: int, fps: Fraction) -> np.ndarray:
    """The log-mel patch that begins at each moment 0, 1/fps, ...; float32 (num_frames, 96, 64).

    Args:
        samples: float32 (n,) as `decode_sound` gives; silence follows where they end.
    """
    needed = math.ceil(seconds_needed(num_frames, fps) * RATE)
    rows = log_mel(np.pad(samples[:needed], (0, max(0, needed - len(samples)))))
    firsts = [_first_row(moment, fps) for moment in range(num_frames)]
    return np.stack([rows[first : first + PATCH_ROWS] for first in firsts])


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Log-mel spectrogram of n >= 400 samples, float32 (1 + (n - 400) // 160, 64)."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    # A periodic Hann window, unlike numpy's own.
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    magnitudes = np.abs(np.fft.rfft(windows * hann, TRANSFORM))
    return np.log(magnitudes @ mel_bands() + LOG_OFFSET).astype(np.float32)


@cache
def mel_bands() -> np.ndarray:
    """Weight of each frequency in each band, float64 (257, 64): triangles on the HTK mel scale."""
    frequencies = _mel(np.arange(TRANSFORM // 2 + 1) * RATE / TRANSFORM)[:, None]
    lowest, highest = _mel(np.array([LOWEST_HZ, HIGHEST_HZ])).tolist()
    edges = np.linspace(lowest, highest, BANDS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequencies - lower) / (centre - lower), (upper - frequencies) / (upper - centre)
    weights = np.maximum(0, np.minimum(rising, falling))
    weights[0] = 0  # the constant part
    return weights


def _mel(hertz: np.ndarray) -> np.ndarray:
    return 1127.0 * np.log1p(hertz / 700.0)


def _first_row(moment: int, fps: Fraction) -> int:
    return round(moment / fps * ROWS_PER_SECOND)
