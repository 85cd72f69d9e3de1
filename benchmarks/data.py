"""The videos that rows read: real shards where a folder was given, invented ones otherwise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.row import Settings
from compress.datasets import Source, VideoTable, load_table, open_source, write_sample
from compress.errors import UsageError


def video_source(settings: Settings, videos: int) -> Source:
    """Video-level shards: all of --data, or `videos` invented ones."""
    if settings.data is None:
        shards = write_sample(settings.scratch / "videos", level="video", num_videos=videos)
        return open_source([str(shard) for shard in shards])
    return _opened(settings.data, "video", "--data")


def frame_source(settings: Settings, videos: int) -> Source:
    """Frame-level shards: all of --frames, or `videos` invented ones of full length."""
    if settings.frames is None:
        shards = write_sample(settings.scratch / "frames", level="frame", num_videos=videos)
        return open_source([str(shard) for shard in shards])
    return _opened(settings.frames, "frame", "--frames")


def video_table(settings: Settings, videos: int) -> VideoTable:
    """The videos of `video_source` in memory."""
    table = load_table(video_source(settings, videos))
    assert isinstance(table, VideoTable)  # `video_source` reads no frames
    return table


def total_bytes(source: Source) -> int:
    """Of all shards, on the disk."""
    return sum(shard.stat().st_size for shard in source.shards)


def clustered(rows: int, dim: int, seed: int) -> np.ndarray:
    """float32 (rows, dim) of unit length, in overlapping clusters, many of them 0, as embeddings are.

    The clusters are the same ones whatever the seed; hard on purpose for approximate search.
    """
    world, rng = np.random.default_rng(0), np.random.default_rng([1, seed])
    centres = world.standard_normal((2000, 32), dtype=np.float32)
    mixing = world.standard_normal((32, dim), dtype=np.float32) / 6
    inner = 0.7 * (
        centres[rng.integers(0, len(centres), rows)] + rng.standard_normal((rows, 32), dtype=np.float32)
    )
    found = np.maximum(inner @ mixing + 0.15 * rng.standard_normal((rows, dim), dtype=np.float32), 0)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found, dtype=np.float32)


def _opened(folder: Path, level: str, option: str) -> Source:
    source = open_source([str(folder / "**" / "*.tfrecord")])
    if source.schema.level != level:
        raise UsageError(f"holds {source.schema.level}-level shards, not {level}-level ones", where=option)
    return source
