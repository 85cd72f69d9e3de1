"""Videos of 16 numbers, as features and as frames, small enough to take every encoder through every job."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compress.datasets.formats.examples import serialize_frames, serialize_video
from compress.datasets.formats.framing import write_records
from compress.datasets.record import FrameRecord, VideoRecord
from compress.datasets.schema import FeatureSchema
from compress.workspace import Workspace
from tests.encoders.examples import SMALL

CLASSES = 6
TRAIN, VALIDATE = 33, 14  # 33: the last of the batches of 16 is a single video
LENGTHS = (
    1,
    360,
    2,
    5,
    1,
    9,
    30,
    3,
)  # frames of the videos, in turn
VIDEO = FeatureSchema("video", ("mean_rgb", "mean_audio"), (10, 6), CLASSES, "id")
FRAME = FeatureSchema("frame", ("rgb", "audio"), (10, 6), CLASSES, "id")


def make_workspace(root: Path) -> Workspace:
    """Shards of both levels, of the same videos."""
    for split, numbers in (("train", range(TRAIN)), ("validate", range(100, 100 + VALIDATE))):
        clips = [clip(number) for number in numbers]
        write_records(root / f"{split}0.tfrecord", [serialize_video(mean(one), VIDEO) for one in clips])
        write_records(root / f"{split}-frames0.tfrecord", [serialize_frames(one, FRAME) for one in clips])
    names = ("train", "validate", "train-frames", "validate-frames")
    patterns = {name.replace("-", "_"): (str(root / f"{name}0.tfrecord"),) for name in names}
    return Workspace(root, num_classes=CLASSES, **patterns)


def clip(number: int) -> FrameRecord:
    """A video that depends on its number alone: frames around the sum of its classes' directions."""
    random = np.random.default_rng(number)
    labels = np.sort(random.choice(CLASSES, size=random.integers(1, 3), replace=False)).astype(np.int32)
    centre = np.random.default_rng(99).standard_normal((CLASSES, SMALL["input_dim"]))[labels].sum(axis=0)
    noise = 0.5 * random.standard_normal((LENGTHS[number % len(LENGTHS)], SMALL["input_dim"]))
    codes = np.clip(np.round((centre + noise + 2) * 255 / 4), 0, 255).astype(np.uint8)
    return FrameRecord(f"v{number * 7919 % 1009:04d}".encode(), labels, codes)


def mean(video: FrameRecord) -> VideoRecord:
    """The same video by the mean of its frames."""
    features = (video.frames * (4 / 255) + 4 / 512 - 2).mean(axis=0)
    return VideoRecord(video.video_id, video.labels, features.astype(np.float32))
