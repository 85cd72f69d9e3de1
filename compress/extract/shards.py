"""Kept features through the projection into shards, at frame level and at video level."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.folder import commit_folder
from compress.artifacts.manifest import Manifest
from compress.datasets.formats.examples import serialize_frames, serialize_video
from compress.datasets.formats.framing import frame
from compress.datasets.part import places
from compress.datasets.record import FrameRecord, VideoRecord
from compress.datasets.schema import FeatureSchema
from compress.errors import CorruptArtifactError
from compress.extract.features import KeptFeatures
from compress.extract.projection import dequantize
from compress.extract.projection_artifact import Projections
from compress.extract.videos import Video
from compress.progress import Progress, Reporter, check_interrupt, silent

KIND = "shards"
VIDEOS_PER_SHARD = 512  # of 360 frames of 1024 bytes: 190 MB
LEVELS = ("video", "frame")

Labels = Mapping[str, np.ndarray]
"""Class numbers by video id, int32 (n,), ascending."""


def split(videos: Sequence[Video], fraction: float) -> dict[str, list[Video]]:
    """Cut videos into "train" and "validate" by a hash of the id; more videos move none (but see below).

    Args:
        videos: at least one.
        fraction: for validation, on average; 0 puts all into "train". With two videos or more, both parts
            have at least one.
    """
    if not fraction or len(videos) < 2:
        return {"train": list(videos)}
    drawn = places(video.video_id.encode() for video in videos)
    bound = min(max(fraction, float(drawn.min()) + 1e-12), float(drawn.max()))
    return {
        "train": [video for video, place in zip(videos, drawn, strict=True) if place >= bound],
        "validate": [video for video, place in zip(videos, drawn, strict=True) if place < bound],
    }


def write_shards(
    folder: Path,
    parts: Mapping[str, Sequence[Video]],
    kept: KeptFeatures,
    projections: Projections,
    labels: Labels,
    facts: dict[str, Any],
    report: Reporter = silent,
) -> Manifest:
    """Write `frame-<part>0000.tfrecord` and `video-<part>0000.tfrecord` of each part; all appear at once.

    The features of a video are the mean of its dequantised frames.

    Args:
        folder: becomes an artifact of kind "shards".
        parts: videos by part; their features are kept.
        labels: of videos; those without any get none.
        facts: JSON for the manifest.

    Raises:
        UsageError: the folder holds something else.
        CorruptArtifactError: features were removed or damaged since they were computed.
        StorageError: the disk refused.
    """
    names = tuple(projections.parts)
    dims = tuple(part.dim for part in projections.parts.values())
    # The number of classes is not in a shard, so any will do here.
    schema = {
        "frame": FeatureSchema("frame", names, dims, 1, "id"),
        "video": FeatureSchema("video", tuple(f"mean_{name}" for name in names), dims, 1, "id"),
    }
    total = sum(map(len, parts.values())) * len(LEVELS)
    done = 0

    def records(videos: Sequence[Video], level: str) -> Iterator[bytes]:
        nonlocal done
        for video in videos:
            yield _record(video, schema[level], kept, projections, labels)
            done += 1
            report(Progress("write shards", done, total, "records"))
            check_interrupt()

    files = {
        f"{level}-{part}{number:04d}.tfrecord": _shard(
            records, videos[first : first + VIDEOS_PER_SHARD], level
        )
        for part, videos in parts.items()
        for level in LEVELS
        for number, first in enumerate(range(0, len(videos), VIDEOS_PER_SHARD))
    }
    return commit_folder(folder, KIND, files, facts)


def _shard(
    records: Callable[[Sequence[Video], str], Iterator[bytes]], videos: Sequence[Video], level: str
) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            for data in records(videos, level):
                file.write(frame(data))

    return write


def _record(
    video: Video, schema: FeatureSchema, kept: KeptFeatures, projections: Projections, labels: Labels
) -> bytes:
    features = kept.read(video)
    if features is None:
        what = "the features of this video were removed while shards were written"
        raise CorruptArtifactError(what, where=video.path, hint="run the same command again")
    frames = np.concatenate([part(features.parts[name]) for name, part in projections.parts.items()], axis=1)
    video_id = video.video_id.encode()
    classes = labels.get(video.video_id, np.empty(0, dtype=np.int32))
    if schema.level == "frame":
        return serialize_frames(FrameRecord(video_id, classes, frames), schema)
    mean = dequantize(frames).mean(axis=0, dtype=np.float64).astype(np.float32)
    return serialize_video(VideoRecord(video_id, classes, mean), schema)
