"""Many videos as a few arrays: what everything that reads millions of records goes through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from compress.datasets.record import FrameRecord, Record, VideoRecord
from compress.datasets.schema import FeatureSchema
from compress.errors import UsageError

# Where nothing else asks for a size: 1.2 MB, and of full-length videos 6 MB, which the caches hold.
VIDEOS_A_BLOCK = {"video": 256, "frame": 16}


@dataclass(frozen=True)
class Block:
    """Consecutive videos of a shard, n >= 1 of them, each validated.

    The arrays may be views of buffers that the next block reuses: copy what is kept longer.

    Args:
        ids: (n,) S<w>, w being the bytes of the longest of them at least.
        num_labels: int64 (n,), labels of each video.
        classes: int32 (sum of num_labels,), those of the first video first, ascending within a video.
        rows: float32 (n, D) at video level; uint8 (sum of num_frames, D) at frame level, video after video.
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
    """UsageError unless a block can have so many videos."""
    if videos < 1:
        raise UsageError(f"a block must have at least 1 video, not {videos}")


def blocks_of(records: Iterable[Record], videos: int, schema: FeatureSchema) -> Iterator[Block]:
    """Pack records into blocks: for formats that are read record by record, and the reference for others.

    Args:
        records: of one shard, validated.
        videos: n of every block but the last, which may have fewer; at least 1.
        schema: what the records are.

    Raises:
        UsageError: a block of no videos.
        Whatever reading a record raises; records before it that did not fill a block are then lost.
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
