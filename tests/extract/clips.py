"""Small video files of any kind, made by PyAV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

MILLISECOND = Fraction(1, 1000)
Paint = Callable[[int, int, int], np.ndarray]


def shade(number: int, width: int, height: int) -> np.ndarray:
    """A grey picture, lighter with every frame."""
    return np.full((height, width, 3), min(255, 10 + 20 * number), dtype=np.uint8)


def quarters(number: int, width: int, height: int) -> np.ndarray:
    """Red and green above, blue and white below."""
    picture = np.zeros((height, width, 3), dtype=np.uint8)
    picture[: height // 2, : width // 2] = (255, 0, 0)
    picture[: height // 2, width // 2 :] = (0, 255, 0)
    picture[height // 2 :, : width // 2] = (0, 0, 255)
    picture[height // 2 :, width // 2 :] = 255
    return picture


def scene(seed: int) -> Paint:
    """Noise in large squares, the same in every frame but for its brightness; of a seed."""
    squares = np.random.default_rng(seed).integers(0, 200, size=(4, 4, 3))

    def paint(number: int, width: int, height: int) -> np.ndarray:
        picture = np.kron(squares, np.ones((height // 4, width // 4, 1)))
        return np.clip(picture + 5 * number, 0, 255).astype(np.uint8)

    return paint


def clip(
    path: Path,
    *,
    frames: int = 20,
    rate: int = 10,
    times: Sequence[int] = (),
    size: tuple[int, int] = (64, 48),
    paint: Paint = shade,
    pixels: str = "yuv420p",
    codec: str = "mpeg4",
    rotation: int | None = None,
    shape: Fraction | None = None,
    tone: float = 0.0,
    options: dict[str, str] | None = None,
) -> Path:
    """Write a video.

    Args:
        times: of each frame in milliseconds; otherwise `frames` of them at `rate` per second.
        rotation: in degrees, counterclockwise, in the display matrix.
        shape: width of a pixel over its height.
        tone: Hz of a sound track of one channel at 22,050 Hz; 0 for none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    times = times or [number * 1000 // rate for number in range(frames)]
    with av.open(str(path), "w", options=options or {}) as file:
        stream = file.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.bit_rate = 2_000_000
        stream.codec_context.time_base = MILLISECOND
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        if rotation is not None:
            stream.set_display_rotation(rotation)
        sound = file.add_stream("aac", rate=22_050) if tone else None
        if sound is not None:
            sound.layout = "mono"
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(paint(number, *size), format="rgb24")
            frame.pts, frame.time_base = time, MILLISECOND
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if sound is not None:
            count = 22_050 * (times[-1] + 1000 // rate) // 1000
            wave = 0.5 * np.sin(2 * np.pi * tone * np.arange(count) / 22_050)
            piece = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
            piece.rate, piece.pts, piece.time_base = 22_050, 0, Fraction(1, 22_050)
            file.mux(sound.encode(piece))
            file.mux(sound.encode(None))
    return path


def sound_only(path: Path) -> Path:
    """A file with a sound track and nothing to see."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=16_000)
        stream.layout = "mono"
        piece = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), format="fltp", layout="mono")
        piece.rate, piece.pts = 16_000, 0
        file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return path


def no_frames(path: Path) -> Path:
    """A video stream without a frame."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        file.start_encoding()
    return path


def still(path: Path) -> Path:
    """A picture."""
    with av.open(str(path), "w", format="image2") as file:
        stream = file.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(shade(0, 64, 48), format="rgb24")
        frame.pts = 0
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


def cut_off(path: Path, share: float = 0.6) -> Path:
    """A video whose index is at its start and whose end is missing."""
    whole = clip(path, frames=100, paint=scene(0), options={"movflags": "faststart"}).read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    return path
