"""Write a video-level source as TFRecord shards: unchanged, or with synthetic frames around each mean."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from compress.datasets.catalogue import scan
from compress.datasets.formats.examples import serialize_frames, serialize_video
from compress.datasets.formats.framing import refuse_more_shards, write_records
from compress.datasets.record import FrameRecord, VideoRecord
from compress.datasets.sample.frames import NUM_FRAMES, check_num_frames, invent_frames
from compress.datasets.schema import FeatureSchema
from compress.datasets.source import Source
from compress.errors import RecordError, SchemaError, UsageError
from compress.progress import Progress, Reporter, check_interrupt, silent

MEAN_PREFIX = "mean_"
_INTERRUPTED = "the finished shards are whole; run the same command again to write all of them"


def write_shards(
    source: Source,
    folder: Path,
    shards: int = 1,
    *,
    prefix: str = "train",
    replace: bool = False,
    report: Reporter = silent,
) -> list[Path]:
    """Write every record of a video-level source as `<prefix>0000.tfrecord`, ..., in order.

    Reads the source twice, because the size of the first shard depends on the number of records, and an id
    that occurs twice must be found before anything is written. Only one record is in memory.

    Args:
        source: video level.
        folder: created when missing.
        shards: files to spread the records over.
        prefix: beginning of their names.
        replace: write over shards of these names that hold something else.

    Returns:
        The shards, in order; read them with the schema of the source (feature names and dims are in the
        records, the number of classes is not).

    Raises:
        SchemaError: the source is not video level.
        DataError: there are no usable records.
        RecordError: a defective record, or an id that occurs twice (policy "fail").
        UsageError: fewer records than shards, or the folder holds other shards of that name.
        StorageError: the disk refuses.
    """
    if source.schema.level != "video":
        raise SchemaError(
            "only video-level sources can be exported",
            where=source.shards[0],
            hint="frames are read where they are: compress init --train PATTERN",
        )
    total = len(scan(source, report))
    if not 1 <= shards <= total:
        raise UsageError(f"cannot spread {total} records over {shards} shards", hint="none may be empty")
    paths = [folder / f"{prefix}{number:04d}.tfrecord" for number in range(shards)]
    if set(map(Path.resolve, paths)) & set(map(Path.resolve, source.shards)):
        raise UsageError("would overwrite the source", where=folder, hint="choose another folder or prefix")
    refuse_more_shards(folder, prefix, paths)
    bounds = [total * number // shards for number in range(shards + 1)]
    records = _all_videos(source)
    for path, low, high in zip(paths, bounds[:-1], bounds[1:], strict=True):
        write_records(
            path,
            (serialize_video(record, source.schema) for record in islice(records, high - low)),
            replace=replace,
        )
        report(Progress("export", high, total))
        check_interrupt(_INTERRUPTED)
    return paths


def expand_frames(
    source: Source,
    folder: Path,
    *,
    seed: int = 0,
    num_frames: tuple[int, int] = NUM_FRAMES,
    replace: bool = False,
    report: Reporter = silent,
) -> list[Path]:
    """Write a frame-level shard for each video-level shard, under the same name.

    For trying frame-level encoders on real data. Only the mean of the frames is real; every record is marked
    (context feature `synthetic_frames`), and so is the schema of a source of them.

    Frames form scenes with drift and noise. The mean of a video's T dequantised frames is the real mean
    within half a quantisation step divided by T: (4 / 255) / (2 * T), 6.5e-5 for 120 frames. The frames of a
    video depend on seed, id and mean only.

    Args:
        source: video level, features within [-1.9921875, 2.0078125] as those of YouTube-8M.
        folder: created when missing; must not be the folder of a shard.
        seed: >= 0.
        num_frames: least and most frames of a video, both included.
        replace: write over shards of these names that hold something else.

    Returns:
        The shards, in the order of the source's.

    Raises:
        SchemaError: the source is not video level.
        RecordError: features are outside the range of quantised frames.
        UsageError: two shards of one name, the folder is a source's own, a bad range of frames.
        StorageError: the disk refuses.
    """
    schema = frame_schema(source.schema)
    check_num_frames(num_frames)
    if seed < 0:
        raise UsageError(f"seed {seed} must be at least 0")
    stems = [shard.stem for shard in source.shards]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise UsageError(f"two shards are named '{twice[0]}'", hint="expand them one after another")
    if folder.resolve() in {shard.resolve().parent for shard in source.shards}:
        raise UsageError("would overwrite the source", where=folder, hint="choose another folder")
    paths = [folder / f"{shard.stem}.tfrecord" for shard in source.shards]
    for done, (path, shard) in enumerate(zip(paths, source.shards, strict=True), start=1):
        write_records(path, _expanded(source, shard, schema, seed, num_frames), replace=replace)
        report(Progress("expand frames", done, len(paths), "shards"))
        check_interrupt(_INTERRUPTED)
    return paths


def frame_schema(schema: FeatureSchema) -> FeatureSchema:
    """The schema of the frames: "mean_rgb" becomes "rgb", and the frames are marked as synthetic."""
    if schema.level != "video":
        raise SchemaError("only video-level features can be expanded to frames; these are frames")
    names = tuple(name.removeprefix(MEAN_PREFIX) for name in schema.names)
    return dataclasses.replace(schema, level="frame", names=names, synthetic_frames=True)


def _expanded(
    source: Source, shard: Path, schema: FeatureSchema, seed: int, num_frames: tuple[int, int]
) -> Iterator[bytes]:
    for record in _videos(source, shard):
        name = np.frombuffer(hashlib.sha256(record.video_id).digest(), dtype="<u4")
        rng = np.random.default_rng([seed, *name.tolist()])
        count = int(rng.integers(num_frames[0], num_frames[1] + 1))
        try:
            frames = invent_frames(record.features, count, rng)
        except RecordError as error:
            where = f"{shard}: id {record.video_id.decode()}"
            raise RecordError(error.what, where=where, hint=error.hint) from error
        yield serialize_frames(FrameRecord(record.video_id, record.labels, frames), schema)


def _all_videos(source: Source) -> Iterator[VideoRecord]:
    for shard in source.shards:
        yield from _videos(source, shard)


def _videos(source: Source, shard: Path) -> Iterator[VideoRecord]:
    for record in source.read(shard):
        if not isinstance(record, VideoRecord):
            raise SchemaError("holds a frame-level record", where=shard)
        yield record
