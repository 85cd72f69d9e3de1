"""Which frames are looked at, and what becomes of odd files."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from compress.errors import DataError
from compress.extract.frames import Decoded, decode
from compress.extract.pictures import Preprocessing
from tests.extract import clips

SEEN = Preprocessing(32, 32, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "bilinear")


def decoded(path: Path, fps: Fraction | int = 1, max_frames: int = 360) -> Decoded:
    return decode(path, SEEN, fps=Fraction(fps), max_frames=max_frames)


def shades(found: Decoded) -> list[int]:
    """Number of the frame of `clips.shade` that each picture is."""
    return [round((float(picture.mean()) - 10) / 20) for picture in found.pictures]


def test_one_frame_a_second(tmp_path: Path):
    path = clips.clip(tmp_path / "a.mp4", times=range(0, 5000, 500))

    assert shades(decoded(path)) == [0, 2, 4, 6, 8]


@pytest.mark.parametrize(
    ("fps", "wanted"),
    [(2, [0, 1, 2, 3, 4, 5]), (4, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]), (Fraction(1, 2), [0, 4])],
)
def test_other_rates(tmp_path: Path, fps: Fraction | int, wanted: list[int]):
    path = clips.clip(tmp_path / "a.mp4", frames=6, rate=2)

    assert shades(decoded(path, fps)) == wanted


def test_a_variable_rate_takes_the_frame_that_is_shown(tmp_path: Path):
    path = clips.clip(tmp_path / "a.mkv", times=[0, 100, 200, 2500, 2600, 4000])

    # At 1 s and 2 s the frame of 0.2 s is still there, at 3 s that of 2.6 s.
    assert shades(decoded(path)) == [0, 2, 2, 4, 5]


def test_a_stream_that_begins_late(tmp_path: Path):
    found = decoded(clips.clip(tmp_path / "a.mkv", times=[3000, 3500, 4000, 4500]))

    assert shades(found) == [0, 2]
    assert found.start == 3


def test_at_most_so_many_frames(tmp_path: Path):
    found = decoded(clips.clip(tmp_path / "a.mp4", frames=40), max_frames=3)

    assert (len(found.pictures), found.damage) == (3, "")


def test_a_single_frame_is_a_video(tmp_path: Path):
    assert len(decoded(clips.clip(tmp_path / "a.mp4", frames=1)).pictures) == 1


def corners(found: Decoded) -> list[str]:
    names = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
    picture = found.pictures[0].astype(int)
    places = [picture[8, 8], picture[8, 24], picture[24, 8], picture[24, 24]]
    return [min(names, key=lambda name: abs(place - names[name]).sum()) for place in places]


@pytest.mark.parametrize(
    ("rotation", "wanted"),
    [
        (None, ["red", "green", "blue", "white"]),
        (90, ["green", "white", "red", "blue"]),  # counterclockwise
        (180, ["white", "blue", "green", "red"]),
        (-90, ["blue", "red", "white", "green"]),
    ],
)
def test_a_rotated_video_is_turned_upright(tmp_path: Path, rotation: int | None, wanted: list[str]):
    path = clips.clip(tmp_path / "a.mp4", frames=2, size=(64, 64), paint=clips.quarters, rotation=rotation)

    assert corners(decoded(path)) == wanted


def test_ten_bits_and_pixels_that_are_not_square(tmp_path: Path):
    ten = clips.clip(tmp_path / "ten.mkv", frames=2, paint=clips.quarters, pixels="yuv420p10le", codec="ffv1")
    assert corners(decoded(ten)) == ["red", "green", "blue", "white"]

    # Half as wide as high: stored 64 by 64, shown 32 by 64; the middle 32 by 32 has all four quarters.
    narrow = clips.clip(
        tmp_path / "narrow.mp4", frames=2, size=(64, 64), paint=clips.quarters, shape=Fraction(1, 2)
    )
    assert corners(decoded(narrow)) == ["red", "green", "blue", "white"]
    borders = np.abs(np.diff(decoded(narrow).pictures[0].astype(int), axis=1)).sum((0, 2))
    assert 14 <= borders.argmax() <= 16


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (clips.sound_only, r"no video stream \(only sound\)"),
        (clips.no_frames, "no video stream|has no frames|is not a video"),
        (lambda path: clips.still(path.with_suffix(".jpg")), "picture or a text"),
        (lambda path: (path.write_bytes(b"") and path) or path, "is not a video"),
        (lambda path: path.write_text("hello\n" * 50) and path, "is not a video|picture or a text"),
        (lambda path: path.write_bytes(bytes(range(256)) * 40) and path, "is not a video"),
        (lambda path: clips.cut_off(path, 0.01), "no video stream"),
        (lambda path: clips.clip(path, frames=2, size=(1024, 16)), "1024 by 16 pixels"),
    ],
    ids=["sound", "no frames", "picture", "empty", "text", "random", "cut at the start", "a line"],
)
def test_what_is_no_video_is_refused_in_one_line(tmp_path: Path, make, what: str):
    with pytest.raises(DataError, match=what) as error:
        decoded(make(tmp_path / "a.mp4"))
    assert "\n" not in str(error.value)


def test_a_video_that_is_cut_off_says_so(tmp_path: Path):
    whole = decoded(clips.clip(tmp_path / "whole.mp4", frames=100, paint=clips.scene(0)))
    cut = decoded(clips.cut_off(tmp_path / "cut.mp4"))

    assert whole.damage == ""
    assert re.fullmatch(
        r"ends after \d\.\d s, but says that it lasts 10\.0 s|damaged after .* s \(.*\)", cut.damage
    )
    assert 0 < len(cut.pictures) < len(whole.pictures)
    assert np.abs(cut.pictures.astype(int) - whole.pictures[: len(cut.pictures)]).mean() < 2


def test_bytes_that_are_wrong_within_are_noticed(tmp_path: Path):
    path = clips.clip(tmp_path / "a.mp4", frames=60, paint=clips.scene(0), codec="libx264")
    content = bytearray(path.read_bytes())
    middle = len(content) // 3
    content[middle : middle + 300] = bytes(300)
    path.write_bytes(content)

    assert "damaged after" in decoded(path).damage
