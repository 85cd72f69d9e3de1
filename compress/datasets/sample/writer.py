"""Writes synthetic videos as YouTube-8M shards, and the vocabulary of their classes.

Each split has its own range of video numbers, so "train" and "validate" never share a video.
"""

from __future__ import annotations

import dataclasses
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from compress.artifacts.atomic import write_bytes
from compress.datasets.formats.examples import serialize_frames, serialize_video
from compress.datasets.formats.framing import refuse_more_shards, write_records
from compress.datasets.record import FrameRecord, VideoRecord
from compress.datasets.sample.frames import NUM_FRAMES, check_num_frames, invent_frames
from compress.datasets.sample.labels import vocabulary_csv
from compress.datasets.sample.world import BLOCK, World
from compress.datasets.schema import YT8M_2018_FRAME, YT8M_2018_VIDEO, FeatureSchema
from compress.errors import UsageError
from compress.progress import Progress, Reporter, check_interrupt, silent

VOCABULARY = "vocabulary.csv"
_FRAMES = 4  # first word of the seed of a video's frames; world.py has 1 to 3

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
LETTERS = 4
NUM_IDS = len(ALPHABET) ** LETTERS  # 14.8 million
SPLIT_START = {"train": 0, "validate": 4_000_000, "test": 8_000_000}
OTHER_START = 12_000_000
_MULTIPLIER = 9_368_327  # shares no factor with 62, so that the map from numbers to ids is one to one


def write_sample(
    folder: Path,
    *,
    level: Literal["video", "frame"],
    num_videos: int,
    shards: int = 1,
    num_classes: int = 3862,
    seed: int = 0,
    prefix: str = "train",
    start: int = 0,
    num_frames: tuple[int, int] = NUM_FRAMES,
    replace: bool = False,
    report: Reporter = silent,
) -> list[Path]:
    """Write synthetic videos as TFRecord shards `<prefix>0000.tfrecord`, ... and `vocabulary.csv`.

    The same arguments give the same bytes. Video i of a split depends only on seed, number of classes, split
    and i, so any number of shards and any `start` give parts of the same sequence. The mean of the frames of
    the frame-level video i is the features of the video-level video i.

    Args:
        folder: created when missing.
        level: "video" (mean_rgb and mean_audio, float32) or "frame" (uint8 frames).
        num_videos: N >= 1.
        shards: files to spread them over, at most N.
        num_classes: C >= 2.
        seed: >= 0.
        prefix: the split: "train", "validate" and "test" share no video; other names are one further split.
        start: videos of the split to skip.
        num_frames: least and most frames of a video, both included; frame level only.
        replace: write over shards of these names that hold something else.

    Returns:
        The shards, in order.

    Raises:
        UsageError: an argument is out of range, or the folder holds shards of another sample.
        StorageError: the disk refuses.
    """
    if level not in ("video", "frame"):
        raise UsageError(f"level '{level}' is neither 'video' nor 'frame'")
    _check(num_videos, shards, num_classes, seed, prefix)
    check_num_frames(num_frames)
    first = first_number(prefix, start, num_videos)
    paths = [folder / f"{prefix}{shard:04d}.tfrecord" for shard in range(shards)]
    world = World(seed, num_classes)
    vocabulary = vocabulary_csv(world.taxonomy)
    _check_folder(folder, paths, prefix, vocabulary)
    bounds = [first + num_videos * shard // shards for shard in range(shards + 1)]
    schema = dataclasses.replace(
        YT8M_2018_VIDEO if level == "video" else YT8M_2018_FRAME, num_classes=num_classes
    )
    write_bytes(folder / VOCABULARY, vocabulary)
    for path, low, high in zip(paths, bounds[:-1], bounds[1:], strict=True):
        write_records(path, _messages(world, schema, low, high, num_frames), replace=replace)
        report(Progress("sample", high - first, num_videos))
        check_interrupt("the finished shards are whole; run the same command again to write all of them")
    return paths


def _messages(
    world: World, schema: FeatureSchema, low: int, high: int, num_frames: tuple[int, int]
) -> Iterator[bytes]:
    """Serialised videos number `low` up to `high`."""
    for index in range(low // BLOCK, -(-high // BLOCK)):
        block = world.block(index)
        for row in range(max(low - index * BLOCK, 0), min(high - index * BLOCK, BLOCK)):
            number = index * BLOCK + row
            name, labels, features = video_id(world.seed, number), block.labels(row), block.features[row]
            if schema.level == "video":
                yield serialize_video(VideoRecord(name, labels, features), schema)
            else:
                frames = _frames(world, number, features, num_frames)
                yield serialize_frames(FrameRecord(name, labels, frames), schema)


def _frames(world: World, number: int, features: np.ndarray, num_frames: tuple[int, int]) -> np.ndarray:
    rng = np.random.default_rng([_FRAMES, world.seed, world.num_classes, number])
    return invent_frames(features, int(rng.integers(num_frames[0], num_frames[1] + 1)), rng)


def _check(num_videos: int, shards: int, num_classes: int, seed: int, prefix: str) -> None:
    if num_videos < 1 or not 1 <= shards <= num_videos:
        what = f"cannot spread {num_videos} videos over {shards} shards"
        raise UsageError(what, hint="every shard needs at least one video")
    if num_classes < 2 or seed < 0:
        raise UsageError(f"num_classes {num_classes} must be at least 2 and seed {seed} at least 0")
    if not re.fullmatch(r"[A-Za-z][A-Za-z_-]*", prefix):
        raise UsageError(f"prefix '{prefix}' cannot begin a file name", hint="use letters, '-' and '_'")


def _check_folder(folder: Path, paths: list[Path], prefix: str, vocabulary: bytes) -> None:
    """Refuse a folder with shards of another sample, which would be read as one data set with these."""
    refuse_more_shards(folder, prefix, paths)
    listed = folder / VOCABULARY
    if listed.exists() and listed.read_bytes() != vocabulary:
        raise UsageError(
            "the folder holds a vocabulary of other classes",
            where=listed,
            hint="samples in one folder need the same seed and number of classes",
        )


def first_number(prefix: str, start: int, num_videos: int) -> int:
    """Number of the first of `num_videos` videos of a split, counted from `start` within it."""
    low = SPLIT_START.get(prefix, OTHER_START)
    high = min(bound for bound in [*SPLIT_START.values(), OTHER_START, NUM_IDS] if bound > low)
    if start < 0 or start + num_videos > high - low:
        raise UsageError(
            f"videos {start} to {start + num_videos} of '{prefix}' do not exist",
            hint=f"start and number of videos have to stay within 0 and {high - low}",
        )
    return low + start


def video_id(seed: int, number: int) -> bytes:
    """4 letters; the ids of a seed are all different."""
    rest = (number * _MULTIPLIER + seed * 7919) % NUM_IDS
    letters = []
    for _ in range(LETTERS):
        rest, digit = divmod(rest, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(letters).encode()
