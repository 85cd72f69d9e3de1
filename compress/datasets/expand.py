"""Frames for videos of which only the mean is known, so that frame-level encoders can be tried on real data.

The frames are invented; only their mean is real. Every record says so (context feature `synthetic_frames`)
and so does the schema of whoever reads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from compress.datasets.record import FrameRecord, Record, VideoRecord
from compress.datasets.sample.frames import NUM_FRAMES, check_num_frames, invent_frames
from compress.datasets.schema import FeatureSchema
from compress.datasets.serialize import serialize_frames
from compress.datasets.tfrecord import write_records
from compress.errors import RecordError, SchemaError, UsageError
from compress.progress import Progress, Reporter, check_interrupt, silent

MEAN_PREFIX = "mean_"


class Shards(Protocol):
    """What is needed of a source."""

    @property
    def schema(self) -> FeatureSchema: ...

    @property
    def shards(self) -> tuple[Path, ...]: ...

    def read(self, shard: Path) -> Iterator[Record]: ...


def expand_frames(
    source: Shards,
    folder: Path,
    *,
    seed: int = 0,
    num_frames: tuple[int, int] = NUM_FRAMES,
    report: Reporter = silent,
) -> list[Path]:
    """Write a frame-level shard for each video-level shard, under the same name.

    Frames form scenes with drift and noise. The mean of a video's T dequantised frames is the real mean to
    within half a quantisation step divided by T: (4 / 255) / (2 * T), 6.5e-5 for 120 frames. The frames of a
    video depend on seed, id and mean only.

    Args:
        source: video level, features within [-1.9921875, 2.0078125] as those of YouTube-8M.
        folder: created when missing; must not be the folder of a shard.
        seed: >= 0.
        num_frames: least and most frames of a video, both included.

    Returns:
        The shards, in the order of the source's.

    Raises:
        SchemaError: the source is not video level.
        RecordError: features are outside of what quantised frames can hold.
        UsageError: two shards of one name, the folder is a source's own, a bad range of frames.
        StorageError: the disk refuses.
    """
    schema = frame_schema(source.schema)
    _check(source, folder, seed, num_frames)
    paths = []
    for done, shard in enumerate(source.shards, start=1):
        path = folder / f"{shard.stem}.tfrecord"
        write_records(path, _expanded(source, shard, schema, seed, num_frames))
        paths.append(path)
        report(Progress("expand frames", done, len(source.shards), "shards"))
        check_interrupt("the finished shards are whole; run the same command again to write all of them")
    return paths


def frame_schema(schema: FeatureSchema) -> FeatureSchema:
    """The schema of the frames: "mean_rgb" becomes "rgb", and the frames are marked as synthetic."""
    if schema.level != "video":
        raise SchemaError("only video-level features can be expanded to frames; these are frames already")
    names = tuple(name.removeprefix(MEAN_PREFIX) for name in schema.names)
    return replace(schema, level="frame", names=names, synthetic_frames=True)


def _expanded(
    source: Shards, shard: Path, schema: FeatureSchema, seed: int, num_frames: tuple[int, int]
) -> Iterator[bytes]:
    for record in source.read(shard):
        if not isinstance(record, VideoRecord):
            raise SchemaError("holds a frame-level record", where=shard)
        name = np.frombuffer(hashlib.sha256(record.video_id).digest(), dtype="<u4")
        rng = np.random.default_rng([seed, *name.tolist()])
        count = int(rng.integers(num_frames[0], num_frames[1] + 1))
        try:
            frames = invent_frames(record.features, count, rng)
        except RecordError as error:
            where = f"{shard}: id {record.video_id.decode()}"
            raise RecordError(error.what, where=where, hint=error.hint) from error
        yield serialize_frames(FrameRecord(record.video_id, record.labels, frames), schema)


def _check(source: Shards, folder: Path, seed: int, num_frames: tuple[int, int]) -> None:
    check_num_frames(num_frames)
    if seed < 0:
        raise UsageError(f"seed {seed} must be at least 0")
    stems = [shard.stem for shard in source.shards]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise UsageError(f"two shards are named '{twice[0]}'", hint="expand them one after another")
    if folder.resolve() in {shard.resolve().parent for shard in source.shards}:
        raise UsageError("would overwrite the source", where=folder, hint="choose another folder")
