"""Reads the TFRecord shards of one schema: framing, parsing, and where a defective record stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from compress.datasets.blocks import Block, blocks_of
from compress.datasets.parse_frames import FrameParser
from compress.datasets.parse_values import describe_id
from compress.datasets.parse_video import VideoParser
from compress.datasets.policy import Policy, SkippedRecord
from compress.datasets.record import Record
from compress.datasets.schema import FeatureSchema
from compress.datasets.tfrecord import FOOTER_BYTES, HEADER_BYTES, RawRecord, frame, read_records
from compress.errors import RecordError

BAD_RECORD_HINT = "leave such records out with --on-corrupt skip or --on-corrupt quarantine"


class ShardReader(Protocol):
    """What a format has to offer to be a source."""

    schema: FeatureSchema

    def read(self, shard: Path) -> Iterator[Record]:
        """Every usable record of a shard, in order."""
        ...

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of `videos`; the last of the shard may be smaller."""
        ...

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a shard stands, for an error message."""
        ...


class TFRecordReader:
    """Reads TFRecord shards; damaged and defective records go to the policy.

    Args:
        schema: what every record must be.
        policy: what happens to the others.
        require_labels: a record without labels is defective.
    """

    def __init__(self, schema: FeatureSchema, policy: Policy, require_labels: bool = False) -> None:
        self.schema, self._policy, self._require_labels = schema, policy, require_labels

    def read(self, shard: Path) -> Iterator[Record]:
        """Every usable record of a shard, in order; CorruptShardError or RecordError by the policy."""
        for _, record in self._read(shard, self._policy):
            yield record

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of `videos`; the last of the shard may be smaller."""
        return blocks_of(self.read(shard), videos, self.schema)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a shard stands, for an error message."""
        for number, (raw, record) in enumerate(self._read(shard, self._policy)):
            if number == row:
                return _place(shard, raw, record.video_id.decode())
        return f"{shard}: usable record {row}"

    def _read(self, shard: Path, policy: Policy) -> Iterator[tuple[RawRecord, Record]]:
        parse: Callable[[bytes], Record]
        parser = VideoParser if self.schema.level == "video" else FrameParser
        parse = parser(self.schema, self._require_labels)
        for raw in read_records(shard, policy):
            try:
                record = parse(raw.data)
            except RecordError as error:
                leave_out(policy, shard, raw, error)
                continue
            yield raw, record


def leave_out(policy: Policy, shard: Path, raw: RawRecord, error: RecordError) -> None:
    """Hand an intact but defective record to the policy, which raises the error with its place or goes on."""
    placed = RecordError(
        error.what, where=_place(shard, raw, describe_id(raw.data)), hint=error.hint or BAD_RECORD_HINT
    )
    placed.__cause__ = error.__cause__
    num_bytes = HEADER_BYTES + len(raw.data) + FOOTER_BYTES
    skipped = SkippedRecord(shard, raw.index, raw.offset, num_bytes, error.what)
    policy.leave_out(skipped, placed, lambda: [frame(raw.data)])


def _place(shard: Path, raw: RawRecord, video_id: str) -> str:
    return f"{shard}: record {raw.index} at byte {raw.offset}, id {video_id}"
