"""Reading frame-level shards: uint8 frames into blocks, every checksum verified."""

from __future__ import annotations

from benchmarks.data import frame_source, total_bytes
from benchmarks.paths.agreement import same_videos
from benchmarks.paths.read_videos import count_blocks
from benchmarks.rivals import protobuf_messages
from benchmarks.row import Contest, Row, Settings, Work, at_least

BLOCK = 32
COMPARED = 40


def prepare(settings: Settings) -> Contest:
    """Ids, labels and frames of every video."""
    source = frame_source(settings, settings.size(150, 600))
    schema, first, size = source.schema, source.shards[0], total_bytes(source)
    theirs = protobuf_messages.read_frames(first, schema)
    checked = same_videos(source.read_blocks(first, BLOCK), theirs, COMPARED)
    videos = count_blocks(source, BLOCK)

    def rival() -> int:
        return sum(1 for shard in source.shards for _ in protobuf_messages.read_frames(shard, schema))

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
        "read-frames",
        "Read",
        "Source.read_blocks",
        "protobuf (upb) and numpy",
        "videos",
        prepare,
        at_least(4),
    ),
)
