"""Reading video-level shards: into blocks of arrays, every checksum verified."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.data import total_bytes, video_source
from benchmarks.paths.agreement import same_videos
from benchmarks.rivals import protobuf_messages, tfrecord_package
from benchmarks.row import Contest, Row, Settings, Work, at_least
from compress.datasets import Source

BLOCK = 1024
COMPARED = 500


def against_tfrecord(settings: Settings) -> Contest:
    """Ids, labels and features of every video, against the package `tfrecord`."""
    source = _source(settings)
    schema, first = source.schema, source.shards[0]
    theirs = (tfrecord_package.arrays(r, schema) for r in tfrecord_package.read_videos(first, schema))
    checked = same_videos(source.read_blocks(first, BLOCK), theirs, COMPARED)
    return _contest(source, lambda: _count(source, tfrecord_package.read_videos), checked)


def against_protobuf(settings: Settings) -> Contest:
    """The same, against protobuf and numpy."""
    source = _source(settings)
    first, read = source.shards[0], protobuf_messages.read_videos
    checked = same_videos(source.read_blocks(first, BLOCK), read(first, source.schema), COMPARED)
    return _contest(source, lambda: _count(source, read), checked)


def count_blocks(source: Source, videos: int) -> int:
    """Read all shards in blocks of `videos`; how many videos there were."""
    return sum(len(block) for shard in source.shards for block in source.read_blocks(shard, videos))


def _source(settings: Settings) -> Source:
    return video_source(settings, settings.size(4_000, 20_000))


def _count(source: Source, read: Callable) -> int:
    return sum(1 for shard in source.shards for _ in read(shard, source.schema))


def _contest(source: Source, rival: Callable[[], int], checked: str) -> Contest:
    videos, size = count_blocks(source, BLOCK), total_bytes(source)
    return Contest(
        ours=lambda: count_blocks(source, BLOCK),
        rival=rival,
        units=videos,
        checked=checked,
        work=Work(size, "memory copy", f"{videos:,} videos x {size / videos:,.0f} B in their shards"),
        notes=("shards in the page cache", "ours verifies both checksums of each record, the rival none"),
    )


ROWS = (
    Row(
        "read-videos",
        "Read",
        "Source.read_blocks",
        "tfrecord (PyPI)",
        "videos",
        against_tfrecord,
        at_least(8),
    ),
    Row(
        "read-videos-protobuf",
        "Read",
        "Source.read_blocks",
        "protobuf (upb) and numpy",
        "videos",
        against_protobuf,
    ),
)
