"""Any video-level source as TFRecord shards."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from compress.datasets.record import Record, VideoRecord
from compress.datasets.schema import FeatureSchema
from compress.datasets.serialize import serialize_video
from compress.datasets.tfrecord import write_records
from compress.errors import DataError, SchemaError, UsageError
from compress.progress import Progress, Reporter, check_interrupt, silent


class Records(Protocol):
    """What is needed of a source."""

    @property
    def schema(self) -> FeatureSchema: ...

    @property
    def shards(self) -> tuple[Path, ...]: ...

    def read(self, shard: Path) -> Iterator[Record]: ...


def write_shards(
    source: Records, folder: Path, shards: int = 1, *, prefix: str = "train", report: Reporter = silent
) -> list[Path]:
    """Write every record of a video-level source as `<prefix>0000.tfrecord`, ..., in order.

    Reads the source twice: the size of the first shard depends on the number of records. One is in memory.

    Args:
        source: video level; from `open_source`, so that every record is checked.
        folder: created when missing.
        shards: files to spread the records over.
        prefix: beginning of their names.

    Returns:
        The shards, in order; read them with the schema of the source (feature names and dims stand in the
        records, the number of classes does not).

    Raises:
        SchemaError: the source is not video level.
        DataError: there are no records.
        UsageError: fewer records than shards.
        StorageError: the disk refuses.
    """
    if source.schema.level != "video":
        raise SchemaError("only video-level sources can be exported", where=source.shards[0])
    total = sum(1 for _ in _records(source))
    if not total:
        raise DataError("the source has no records", where=source.shards[0])
    if not 1 <= shards <= total:
        raise UsageError(f"cannot spread {total} records over {shards} shards", hint="none may be empty")
    paths = [folder / f"{prefix}{number:04d}.tfrecord" for number in range(shards)]
    if set(map(Path.resolve, paths)) & set(map(Path.resolve, source.shards)):
        raise UsageError("would overwrite the source", where=folder, hint="choose another folder or prefix")
    bounds = [total * number // shards for number in range(shards + 1)]
    records = _records(source)
    for path, low, high in zip(paths, bounds[:-1], bounds[1:], strict=True):
        write_records(
            path, (serialize_video(record, source.schema) for record in islice(records, high - low))
        )
        report(Progress("export", high, total))
        check_interrupt("the finished shards are whole; run the same command again to write all of them")
    return paths


def _records(source: Records) -> Iterator[VideoRecord]:
    for shard in source.shards:
        for record in source.read(shard):
            if not isinstance(record, VideoRecord):
                raise SchemaError("holds a frame-level record", where=shard)
            yield record
