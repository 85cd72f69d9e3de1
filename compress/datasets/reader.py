"""Reads the TFRecord shards of one schema: framing, parsing, and where a defective record stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ctypes import CDLL
from pathlib import Path
from typing import Protocol

from compress.datasets import native_layout
from compress.datasets.blocks import Block, blocks_of, check_block_size
from compress.datasets.native_blocks import BlockReader
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
        # Each reading in progress has a reader of its own; the memory of one that is done serves the next.
        self._idle: list[BlockReader] = []

    def read(self, shard: Path) -> Iterator[Record]:
        """Every usable record of a shard, in order; CorruptShardError or RecordError by the policy."""
        for _, record in self._read(shard, self._policy):
            yield record

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of `videos`; the last of the shard may be smaller.

        By C code where there is some. A block is overwritten by the next one, also of another shard.
        """
        check_block_size(videos)
        library = native_layout.load()
        if library is None:
            return blocks_of(self.read(shard), videos, self.schema)
        return self._native_blocks(library, shard, videos)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a shard stands, for an error message."""
        for number, (raw, record) in enumerate(self._read(shard, self._policy)):
            if number == row:
                return _place(shard, raw, record.video_id.decode())
        return f"{shard}: usable record {row}"

    def _read(self, shard: Path, policy: Policy) -> Iterator[tuple[RawRecord, Record]]:
        parse = self._parser()
        for raw in read_records(shard, policy):
            record = _usable(parse, policy, shard, raw)
            if record is not None:
                yield raw, record

    def _native_blocks(self, library: CDLL, shard: Path, videos: int) -> Iterator[Block]:
        parse, policy = self._parser(), self._policy
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = BlockReader(library, self.schema, self._require_labels)
        try:
            yield from reader.read(shard, videos, policy, lambda raw: _usable(parse, policy, shard, raw))
        finally:
            self._idle.append(reader)

    def _parser(self) -> Callable[[bytes], Record]:
        parser = VideoParser if self.schema.level == "video" else FrameParser
        return parser(self.schema, self._require_labels)


def _usable(parse: Callable[[bytes], Record], policy: Policy, shard: Path, raw: RawRecord) -> Record | None:
    try:
        return parse(raw.data)
    except RecordError as error:
        leave_out(policy, shard, raw, error)
        return None


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
