"""One video of a shard as a record, and many of them as a block of arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from compress.datasets.schema import FeatureSchema
from compress.errors import UsageError

# The default: 1.2 MB at video level and 6 MB of full-length videos at frame level, which fit the caches.
VIDEOS_PER_BLOCK = {"video": 256, "frame": 16}


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """A video-level record.

    Args:
        video_id: UTF-8 bytes, 1 to 1024 of them, without NUL.
        labels: int32 (n,), ascending, without duplicates; empty when unlabelled.
        features: float32 (D,), all features concatenated in the order of the schema.
    """

    video_id: bytes
    labels: np.ndarray
    features: np.ndarray


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """A frame-level record.

    Args:
        video_id: UTF-8 bytes, 1 to 1024 of them, without NUL.
        labels: int32 (n,), ascending, without duplicates; empty when unlabelled.
        frames: (T, D), T >= 1: uint8 codes, which the model dequantises, or float32.
    """

    video_id: bytes
    labels: np.ndarray
    frames: np.ndarray


@dataclass(frozen=True, slots=True)
class SegmentRecord(FrameRecord):
    """A frame-level record of the 2019 release, with human-checked segments.

    Args:
        segment_start: int64 (S,), first second of each segment.
        segment_end: int64 (S,), the second after its last.
        segment_labels: int32 (S,), the class that was checked.
        segment_scores: float32 (S,), 1 when the class is present in the segment, else 0.
    """

    segment_start: np.ndarray
    segment_end: np.ndarray
    segment_labels: np.ndarray
    segment_scores: np.ndarray


Record = VideoRecord | FrameRecord


@dataclass(frozen=True)
class Block:
    """n >= 1 consecutive, validated videos of a shard.

    The arrays may be views of buffers that the next block reuses: copy what you keep longer.

    Args:
        ids: (n,) S<w>, w at least the length of the longest.
        num_labels: int64 (n,), labels of each video.
        classes: int32 (sum of num_labels,), those of the first video first, ascending within a video.
        rows: float32 (n, D) at video level; of the schema's type (sum of num_frames, D) at frame
            level, video after video.
        num_frames: int64 (n,), each at least 1; None at video level.
    """

    ids: np.ndarray
    num_labels: np.ndarray
    classes: np.ndarray
    rows: np.ndarray
    num_frames: np.ndarray | None

    def __len__(self) -> int:
        return len(self.ids)


def check_block_size(videos: int) -> None:
    """UsageError unless a block can have this many videos."""
    if videos < 1:
        raise UsageError(f"a block must have at least 1 video, not {videos}")


def blocks_of(records: Iterable[Record], videos: int, schema: FeatureSchema) -> Iterator[Block]:
    """Pack validated records of one shard into blocks of `videos` (the last may be smaller).

    For formats that are read record by record, and the reference for others. Raises what reading a record
    raises; records before it that did not fill a block are then lost.
    """
    check_block_size(videos)
    remaining = iter(records)
    while chunk := list(islice(remaining, videos)):
        yield _pack(chunk, schema)


def _pack(records: list[Record], schema: FeatureSchema) -> Block:
    frames = [record.frames for record in records if isinstance(record, FrameRecord)]
    features = [record.features for record in records if isinstance(record, VideoRecord)]
    is_frame_level = schema.level == "frame"
    return Block(
        ids=np.array([record.video_id for record in records], dtype=np.bytes_),
        num_labels=np.array([len(record.labels) for record in records], dtype=np.int64),
        classes=np.concatenate([record.labels for record in records]),
        rows=np.concatenate(frames) if is_frame_level else np.stack(features),
        num_frames=np.array([len(video) for video in frames], dtype=np.int64) if is_frame_level else None,
    )
