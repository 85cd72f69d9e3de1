"""TFRecord shards of tf.Example or tf.SequenceExample: YouTube-8M, AudioSet and relatives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from ctypes import CDLL
from dataclasses import replace
from itertools import islice
from pathlib import Path

from google.protobuf.message import DecodeError

from compress.datasets import features_pb2 as messages
from compress.datasets.formats import native_buffers
from compress.datasets.formats.examples import (
    ID_KEYS,
    KIND_WORDS,
    SYNTHETIC_MARK,
    FeatureMap,
    FrameParser,
    VideoParser,
    describe_id,
)
from compress.datasets.formats.format import Format, Wanted, check_against, check_cut
from compress.datasets.formats.framing import FOOTER_BYTES, HEADER_BYTES, RawRecord, frame, read_records
from compress.datasets.formats.native_blocks import BlockReader
from compress.datasets.policy import Policy, SkippedRecord
from compress.datasets.record import VIDEOS_PER_BLOCK, Block, Record, blocks_of, check_block_size
from compress.datasets.schema import MAX_CLASSES, NUM_CLASSES_HINT, RELEASES, FeatureSchema, Level
from compress.errors import DataError, RecordError, SchemaError

BAD_RECORD_HINT = "leave such records out with --on-corrupt skip or --on-corrupt quarantine"
# Enough to outvote defective records at the start of a shard.
_RECORDS_TO_DETECT = 9
_NOT_FEATURES = ("segment_", "start_time", "end_time")


def open_shards(paths: Sequence[Path], wanted: Wanted) -> Mapping[Path, TFRecordReader]:
    """One reader for all shards; the schema, unless given, is detected from the first records."""
    policy = wanted.policy
    found = _detect(paths, policy)
    if wanted.schema:
        check_against(wanted.schema, found, paths[0])
        schema = replace(wanted.schema, synthetic_frames=found.synthetic_frames)
    else:
        classes = wanted.num_classes or _published_classes(found) or _count_classes(found, paths, policy)
        schema = replace(found, num_classes=classes)
    check_cut(schema, wanted.max_frames)
    if wanted.max_frames is not None:
        schema = replace(schema, max_frames=wanted.max_frames)
    return dict.fromkeys(paths, TFRecordReader(schema, policy, wanted.require_labels))


class TFRecordReader:
    """Reads TFRecord shards of one schema; damaged and defective records go to the policy.

    With `require_labels`, a record without labels is defective.
    """

    labels_file = None

    def __init__(self, schema: FeatureSchema, policy: Policy, require_labels: bool = False) -> None:
        self.schema, self._policy, self._require_labels = schema, policy, require_labels
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
        if library is None:
            return blocks_of(self.read(shard), videos, self.schema)
        return self._native_blocks(library, shard, videos)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a shard is, for an error message."""
        for number, (raw, record) in enumerate(self._read(shard)):
            if number == row:
                return _place(shard, raw, record.video_id.decode())
        return f"{shard}: usable record {row}"

    def _read(self, shard: Path) -> Iterator[tuple[RawRecord, Record]]:
        parse = self._parser()
        for raw in read_records(shard, self._policy):
            record = _usable(parse, self._policy, shard, raw)
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
    """The record; one that is intact but defective goes to the policy, which raises its error or skips it."""
    try:
        return parse(raw.data)
    except RecordError as error:
        num_bytes = HEADER_BYTES + len(raw.data) + FOOTER_BYTES
        skipped = SkippedRecord(shard, raw.index, raw.offset, num_bytes, error.what)
        policy.leave_out(skipped, _placed(error, shard, raw), lambda: [frame(raw.data)])
        return None


def _placed(error: RecordError, shard: Path, raw: RawRecord) -> RecordError:
    where = _place(shard, raw, describe_id(raw.data))
    placed = RecordError(error.what, where=where, hint=error.hint or BAD_RECORD_HINT)
    placed.__cause__ = error.__cause__
    return placed


def _place(shard: Path, raw: RawRecord, video_id: str) -> str:
    return f"{shard}: record {raw.index} at byte {raw.offset}, id {video_id}"


def _detect(shards: Sequence[Path], policy: Policy) -> FeatureSchema:
    """The most common schema among the first valid records; the number of classes is not known yet."""
    looking = policy.without_record()
    first_error: RecordError | None = None
    for shard in shards:
        schemas: Counter[FeatureSchema] = Counter()
        for raw in islice(read_records(shard, looking), _RECORDS_TO_DETECT):
            try:
                schemas[_detect_one(raw.data)] += 1
            except RecordError as error:
                first_error = first_error or _placed(error, shard, raw)
        if schemas:
            return schemas.most_common(1)[0][0]
        if first_error and policy.on_corrupt == "fail":
            break
    raise first_error or DataError("no record can be read", where=shards[0])


def _detect_one(data: bytes) -> FeatureSchema:
    """The schema of one serialised Example or SequenceExample; RecordError when there is none."""
    try:
        message = messages.SequenceExample.FromString(data)
    except DecodeError as error:
        raise RecordError("is neither a tf.Example nor a tf.SequenceExample") from error
    context: FeatureMap = message.context.feature
    id_key = next((key for key in ID_KEYS if key in context), None)
    if id_key is None:
        present = ", ".join(sorted(context)) or "none"
        raise RecordError(f"has neither feature 'id' nor 'video_id' (present: {present})")
    lists = message.feature_lists.feature_list
    sizes = _frame_sizes(lists) if lists else _video_sizes(context)
    if not sizes or not min(sizes.values()):
        raise RecordError("has no features")
    marks = context[SYNTHETIC_MARK].int64_list.value if SYNTHETIC_MARK in context else ()
    level: Level = "frame" if lists else "video"
    return FeatureSchema(level, tuple(sizes), tuple(sizes.values()), MAX_CLASSES, id_key, any(marks))


def _frame_sizes(lists: FeatureMap) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name in _known_first(lists, "frame"):
        steps = lists[name].feature
        if not steps:
            raise RecordError("has no frames")
        kind = steps[0].WhichOneof("kind")
        if kind != "bytes_list" or len(steps[0].bytes_list.value) != 1:
            raise RecordError(f"frame 0 of '{name}' holds {KIND_WORDS[kind]} instead of bytes")
        sizes[name] = len(steps[0].bytes_list.value[0])
    return sizes


def _video_sizes(context: FeatureMap) -> dict[str, int]:
    floats = {
        name: feature
        for name, feature in context.items()
        if feature.WhichOneof("kind") == "float_list" and not name.startswith(_NOT_FEATURES)
    }
    return {name: len(floats[name].float_list.value) for name in _known_first(floats, "video")}


def _known_first(present: Mapping[str, object], level: Level) -> list[str]:
    """The names of a published release in its order, if any are present; else all names, sorted."""
    for release in RELEASES:
        names = [name for name in release.names if name in present]
        if release.level == level and names:
            return names
    return sorted(present)


def _published_classes(found: FeatureSchema) -> int | None:
    """Number of classes of the published release with these feature names and id key; None without one."""
    for release in RELEASES:
        same = (release.level, release.id_key) == (found.level, found.id_key)
        if same and set(found.names) <= set(release.names):
            return release.num_classes
    return None


def _count_classes(found: FeatureSchema, shards: Sequence[Path], policy: Policy) -> int:
    reader = TFRecordReader(found, policy.without_record())
    largest = -1
    for shard in shards:
        for block in reader.read_blocks(shard, VIDEOS_PER_BLOCK[found.level]):
            largest = max(largest, int(block.classes.max(initial=-1)))
    if largest < 0:
        what = "no record has labels, so the number of classes is unknown"
        raise SchemaError(what, where=shards[0], hint=NUM_CLASSES_HINT)
    return largest + 1


FORMAT = Format("TFRecord", "shards", (".tfrecord",), open_shards)
