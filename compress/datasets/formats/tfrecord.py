"""TFRecord shards of tf.Example or tf.SequenceExample: YouTube-8M, AudioSet and relatives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from ctypes import CDLL
from dataclasses import replace
from itertools import islice
from pathlib import Path

from compress.datasets.contents import NO_CONTENTS, Contents
from compress.datasets.formats import native_buffers
from compress.datasets.formats.examples import FrameParser, VideoParser, describe_id
from compress.datasets.formats.format import Format, Wanted, check_cut
from compress.datasets.formats.framing import FOOTER_BYTES, HEADER_BYTES, RawRecord, frame, read_records
from compress.datasets.formats.layout import (
    Layout,
    Seen,
    layout_of,
    merged,
    published_classes,
    see,
    with_more,
)
from compress.datasets.formats.native_blocks import BlockReader
from compress.datasets.formats.rows import file_id, made_up_id
from compress.datasets.formats.segments import segments_of
from compress.datasets.policy import Policy, SkippedRecord
from compress.datasets.record import VIDEOS_PER_BLOCK, Block, Record, blocks_of, check_block_size
from compress.datasets.schema import NUM_CLASSES_HINT
from compress.errors import CorruptShardError, DataError, RecordError, SchemaError

BAD_RECORD_HINT = "leave such records out with --on-corrupt skip or --on-corrupt quarantine"
# Enough to outvote defective records at the start of a shard.
_RECORDS_TO_DETECT = 9
_SHARDS_TO_DETECT = 64


def open_shards(paths: Sequence[Path], wanted: Wanted) -> Mapping[Path, TFRecordReader]:
    """One reader for all shards; where their parts are is seen from the first records."""
    layout, contents = _detect(paths, wanted)
    layout = replace(layout, alike=len({path.stem for path in paths}) < len(paths))
    check_cut(layout.schema, wanted.max_frames)
    if not wanted.schema:
        found = published_classes(layout, contents)
        if not found and not wanted.num_classes:
            found = _count_classes(layout, paths, wanted.policy)
        classes = wanted.classes(found)
        if classes is None:
            what = "no record has labels, so the number of classes is unknown"
            raise SchemaError(what, where=paths[0], hint=NUM_CLASSES_HINT)
        layout = replace(layout, schema=replace(layout.schema, num_classes=classes))
    reader = TFRecordReader(layout, wanted.policy, contents)
    return dict.fromkeys(paths, reader)


class TFRecordReader:
    """Reads TFRecord shards of one layout; damaged and defective records go to the policy."""

    labels_file, folder_says = None, ""

    def __init__(self, layout: Layout, policy: Policy, contents: Contents = NO_CONTENTS) -> None:
        self.schema, self.contents, self._layout = layout.schema, contents, layout
        self._policy = policy
        # Every read in progress has its own reader; a finished one is reused, with its memory, by the next.
        self._idle: list[BlockReader] = []

    def read(self, shard: Path) -> Iterator[Record]:
        """Every usable record of a shard, in order; CorruptShardError or RecordError by the policy."""
        for _, record in self._read(shard):
            yield record

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of `videos`; the last of the shard may be smaller.

        Uses C code if available. A block is overwritten by the next one, also of another shard.
        """
        check_block_size(videos)
        library = native_buffers.load()
        if library is None or not self._layout.is_plain:
            return blocks_of(self.read(shard), videos, self.schema)
        return self._native_blocks(library, shard, videos)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a shard is, for an error message."""
        for number, (raw, record) in enumerate(self._read(shard)):
            if number == row:
                return _place(shard, raw, record.video_id.decode())
        return f"{shard}: usable record {row}"

    def _read(self, shard: Path) -> Iterator[tuple[RawRecord, Record]]:
        parse = self._parser(shard)
        for raw in read_records(shard, self._policy):
            for record in _usable(parse, self._policy, shard, raw):
                yield raw, record

    def _native_blocks(self, library: CDLL, shard: Path, videos: int) -> Iterator[Block]:
        parse, policy = self._parser(shard), self._policy
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = BlockReader(library, self._layout)
        try:
            yield from reader.read(
                shard, videos, policy, lambda raw: next(iter(_usable(parse, policy, shard, raw)), None)
            )
        finally:
            self._idle.append(reader)

    def _parser(self, shard: Path) -> Callable[[RawRecord], Sequence[Record]]:
        layout, schema = self._layout, self.schema
        if layout.segments:  # of videos that may be unlabelled themselves, and must not be cut before
            whole = FrameParser(replace(layout, schema=replace(schema, max_frames=None)))
            return lambda raw: segments_of(whole(raw.data, self._invented(shard, raw)), schema.max_frames)
        parser = VideoParser if schema.level == "video" else FrameParser
        parse = parser(layout)
        return lambda raw: (parse(raw.data, self._invented(shard, raw)),)

    def _invented(self, shard: Path, raw: RawRecord) -> bytes:
        """The id of a record that has none; of others, nothing."""
        if self._layout.id_key:
            return b""
        name = file_id(shard, self._layout.alike) if raw.is_bare else made_up_id(shard, raw.index)
        return name.encode()


def _usable(
    parse: Callable[[RawRecord], Sequence[Record]], policy: Policy, shard: Path, raw: RawRecord
) -> Sequence[Record]:
    """What a record gives; one that is intact but defective goes to the policy, which raises or skips it."""
    try:
        return parse(raw)
    except RecordError as error:
        num_bytes = HEADER_BYTES + len(raw.data) + FOOTER_BYTES
        skipped = SkippedRecord(shard, raw.index, raw.offset, num_bytes, error.what)
        policy.leave_out(skipped, _placed(error, shard, raw), lambda: [frame(raw.data)])
        return ()


def _placed(error: RecordError, shard: Path, raw: RawRecord) -> RecordError:
    where = _place(shard, raw, describe_id(raw.data))
    placed = RecordError(error.what, where=where, hint=error.hint or BAD_RECORD_HINT)
    placed.__cause__ = error.__cause__
    return placed


def _place(shard: Path, raw: RawRecord, video_id: str) -> str:
    return f"{shard}: record {raw.index} at byte {raw.offset}, id {video_id}"


def _detect(shards: Sequence[Path], wanted: Wanted) -> tuple[Layout, Contents]:
    """The layout of the most common kind among the first valid records; C is not known yet.

    Of other shards the first record is looked at too, for what else they hold.
    """
    looking = wanted.policy.without_record()
    first_error: RecordError | None = None
    for shard in shards:
        kinds: Counter[Seen] = Counter()
        for raw in islice(read_records(shard, looking), _RECORDS_TO_DETECT):
            try:
                kinds[see(raw.data, wanted.description)] += 1
            except RecordError as error:
                first_error = first_error or _placed(error, shard, raw)
        if kinds:
            more = _first_of(shards, looking, wanted)
            return layout_of(shard, with_more(merged(kinds), more), wanted)
        if first_error and wanted.policy.on_corrupt == "fail":
            break
    raise first_error or DataError("no record can be read", where=shards[0])


def _first_of(shards: Sequence[Path], looking: Policy, wanted: Wanted) -> Iterator[Seen]:
    """What the first record of some shards holds, spread evenly; those that cannot be read are met later."""
    for place in range(0, len(shards), -(-len(shards) // _SHARDS_TO_DETECT)):
        with suppress(CorruptShardError, RecordError):
            for raw in islice(read_records(shards[place], looking), 1):
                yield see(raw.data, wanted.description)


def _count_classes(layout: Layout, shards: Sequence[Path], policy: Policy) -> int | None:
    """The largest label + 1; None when no record has labels."""
    reader = TFRecordReader(layout, policy.without_record())
    largest = -1
    for shard in shards:
        for block in reader.read_blocks(shard, VIDEOS_PER_BLOCK[layout.schema.level]):
            largest = max(largest, int(block.classes.max(initial=-1)))
    return largest + 1 or None


FORMAT = Format(
    "TFRecord",
    "shards",
    (".tfrecord", ".tfrecords", ".tfrecord.gz", ".tfrecord.zz", ".tfrecords.gz", ".tfrecords.zz", ".pb"),
    open_shards,
)
