"""The frames of a video file to look at: one for each moment, decoded by PyAV.

The moments are 0, 1/fps, 2/fps ... seconds after the first frame. The frame of a moment is the one that a
player shows then, so a variable frame rate needs no special care.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from compress.artifacts import disk
from compress.errors import DataError
from compress.extract.pictures import Preprocessing, cropped, resized, upright

_OF_THE_MACHINE = {errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE}
_PICTURE_FORMATS = ("image2", "_pipe")
_OPTIONS = {"protocol_whitelist": "none"}  # a playlist must reach neither the network nor other files
# A stream that ends earlier than it says, by more than its last frames could: it was cut off.
_MISSING_SECONDS, _MISSING_SHARE = Fraction(1), Fraction(1, 20)

_LONGEST = (
    32  # times as long as wide: the middle of such a picture shows nothing, and it would fill the memory
)


@dataclass(frozen=True)
class Decoded:
    """What was decoded of a video.

    Args:
        pictures: uint8 (T, size, size, 3) RGB, T >= 1.
        start: time of the first frame, in seconds of the container's clock.
        damage: what is wrong with the rest of the file; empty for a sound file.
    """

    pictures: np.ndarray
    start: Fraction
    damage: str = ""


def decode(path: Path, wanted: Preprocessing, *, fps: Fraction, max_frames: int, threads: int = 1) -> Decoded:
    """The frames of a video, as its backbone wants to see them.

    Args:
        path: of any kind that FFmpeg reads.
        wanted: size and crop of the pictures; normalising them is left to the caller.
        fps: moments per second.
        max_frames: at most this many, from the start.
        threads: of the decoder.

    Raises:
        DataError: not a video, no video stream, or no frame can be decoded.
    """
    pictures: list[np.ndarray] = []
    start, damage = Fraction(0), ""
    with opened(path) as container:
        stream = _video_stream(container)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = threads
        clock = _Clock(stream)
        try:
            for frame in shown(_timed(container, stream, clock), fps, clock):
                pictures.append(_picture(frame, stream, wanted))
                if len(pictures) == max_frames:
                    break
            else:
                damage = clock.missing_end()
        except (av.FFmpegError, ValueError) as error:
            raise_if_not_of_the_file(error)
            damage = f"damaged after {float(clock.now):.1f} s ({reason(error)})"
        start = clock.start or start
    if not pictures:
        raise DataError(damage or "has no frames", where=path)
    return Decoded(np.stack(pictures), start, damage)


@contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """A media file open for reading; DataError when it is none."""
    # As an open file: FFmpeg takes some names for addresses (`concat:a|b`), and may open nothing else.
    with ExitStack() as stack:
        with disk.reading(path):
            file = stack.enter_context(path.open("rb"))
        try:
            # Some files have titles that are not UTF-8.
            container = av.open(file, "r", metadata_errors="ignore", options=_OPTIONS)
        except (av.FFmpegError, ValueError, OSError) as error:
            raise_if_not_of_the_file(error)
            what = f"is not a video, or damaged at its start ({reason(error)})"
            raise DataError(what, where=path) from error
        stack.enter_context(container)
        if container.format.name.endswith(_PICTURE_FORMATS) or container.format.name == "tty":
            raise DataError("is a picture or a text, not a video", where=path)
        yield container


def raise_if_not_of_the_file(error: Exception) -> None:
    """Raise what says something of this machine: no memory, no further thread, no further open file.

    FFmpeg also says "input/output error" of damage, and "operation not permitted" of a list of other files.
    """
    if isinstance(error, MemoryError) or getattr(error, "errno", None) in _OF_THE_MACHINE:
        raise error


class _Clock:
    """Times of the frames of one stream, in seconds after its first frame; they never go back."""

    def __init__(self, stream: VideoStream) -> None:
        self._stream = stream
        self.start: Fraction | None = None
        self.now = self.end = Fraction(0)
        rate = stream.average_rate or stream.guessed_rate
        self._frame = Fraction(1) / rate if rate else None

    def time(self, frame: VideoFrame) -> Fraction:
        """When a frame is shown first."""
        if frame.pts is not None and frame.time_base:
            at = frame.pts * Fraction(frame.time_base)
        elif self._frame:  # raw streams have no times, but a rate
            at = (self.start or Fraction(0)) + (self.end if self.start is not None else 0)
        else:
            raise DataError("its frames have neither times nor a rate", where=self._stream.container.name)
        if self.start is None:
            self.start = at
        self.now = max(self.now, at - self.start)
        length = frame.duration * Fraction(frame.time_base) if frame.duration and frame.time_base else None
        self.end = self.now + (length or self._frame or Fraction(0))
        return self.now

    def missing_end(self) -> str:
        """A sentence if the stream ended long before the time that it says; otherwise empty."""
        stream = self._stream
        if not stream.duration or not stream.time_base:
            return ""
        said = stream.duration * Fraction(stream.time_base)
        if said - self.end <= max(_MISSING_SECONDS, _MISSING_SHARE * said):
            return ""
        return f"ends after {float(self.end):.1f} s, but says that it lasts {float(said):.1f} s"


def shown(
    frames: Iterable[tuple[Fraction, VideoFrame]], fps: Fraction, clock: _Clock
) -> Iterator[VideoFrame]:
    """The frame that is shown at each moment 0, 1/fps, ... until the last frame's end.

    Args:
        frames: time and frame, in order; the first is at 0.
        fps: moments per second.
        clock: its `end` is when the last frame that was read ends.
    """
    moment, held, last = 0, None, Fraction(0)
    for time, frame in frames:
        while held is not None and moment / fps < time:
            yield held
            moment += 1
        held, last = frame, time
    # A last frame at this very moment is shown, though some files give it no length.
    while held is not None and (moment / fps < clock.end or moment / fps <= last):
        yield held
        moment += 1


def _timed(
    container: InputContainer, stream: VideoStream, clock: _Clock
) -> Iterator[tuple[Fraction, VideoFrame]]:
    for frame in container.decode(stream):
        yield clock.time(frame), frame


def _video_stream(container: InputContainer) -> VideoStream:
    streams = list(container.streams.video)
    films = [each for each in streams if not each.disposition & each.disposition.attached_pic]
    if not films:
        others = [word for word, some in (("sound", container.streams.audio), ("a cover", streams)) if some]
        held = f" (only {' and '.join(others)})" if others else ""
        raise DataError(f"has no video stream{held}", where=container.name)
    if films[0].codec_context is None:
        raise DataError("its video has a codec that FFmpeg does not know", where=container.name)
    return films[0]


def _picture(frame: VideoFrame, stream: VideoStream, wanted: Preprocessing) -> np.ndarray:
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    # Pixels may be wider than high; a player stretches them.
    wide = stream.sample_aspect_ratio or Fraction(1)
    shape = max(1, round(frame.width * wide)), frame.height
    if max(shape) > _LONGEST * min(shape):
        raise DataError(f"its frames are {frame.width} by {frame.height} pixels", where=stream.container.name)
    width, height = resized(*shape, wanted.resize)
    small = frame.reformat(
        width=width, height=height, format="rgb24", interpolation=wanted.interpolation.upper()
    )
    turned = upright(small.to_ndarray(), None if matrix is None else np.frombuffer(matrix, dtype="<i4"))
    return np.ascontiguousarray(cropped(turned, wanted.size))


def reason(error: Exception) -> str:
    """What FFmpeg says, in one line."""
    return str(getattr(error, "strerror", None) or error).split("\n")[0]
