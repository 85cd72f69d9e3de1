"""A source: files of one schema, read record by record. Everything downstream starts with `open_source`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from compress.datasets.array_reader import open_arrays
from compress.datasets.blocks import VIDEOS_A_BLOCK, Block, check_block_size
from compress.datasets.detect import Layout, check_against, detect_layout, known_num_classes
from compress.datasets.policy import OnCorrupt, Policy, SkippedRecord
from compress.datasets.reader import ShardReader, TFRecordReader, leave_out
from compress.datasets.record import Record
from compress.datasets.schema import MAX_CLASSES, NUM_CLASSES_HINT, FeatureSchema
from compress.datasets.shards import find_shards, fingerprint, is_array
from compress.datasets.tfrecord import read_records
from compress.errors import DataError, NotFoundError, RecordError, SchemaError, UsageError

# Enough to outvote a defective record at the start of a shard.
_RECORDS_TO_DETECT = 9


class Source:
    """Shards of one schema.

    Args:
        reader: reads one shard of the format.
        shards: the files, sorted.
        policy: what happens to unusable records.
        require_labels: records without labels were not accepted.
        sidecars: further files that the records depend on (labels of arrays); they count in the fingerprint.
    """

    def __init__(
        self,
        reader: ShardReader,
        shards: tuple[Path, ...],
        policy: Policy,
        require_labels: bool = False,
        sidecars: Sequence[Path] = (),
    ) -> None:
        self.shards, self.require_labels = shards, require_labels
        self._reader, self._policy, self._sidecars = reader, policy, tuple(sidecars)
        self._fingerprint: str | None = None

    @property
    def schema(self) -> FeatureSchema:
        """What every record is."""
        return self._reader.schema

    @property
    def skipped(self) -> list[SkippedRecord]:
        """What reading has left out so far, by shard and offset; complete after every shard was read once."""
        return self._policy.skipped

    def read(self, shard: Path) -> Iterator[Record]:
        """Every usable record of a shard, in order, validated.

        Raises:
            CorruptShardError: a checksum is wrong or the shard ends early (policy "fail").
            RecordError: a record does not fulfil the schema (policy "fail"); names file, record, offset, id.
            NotFoundError: the shard is not of this source, or gone.
        """
        self._check_own(shard)
        return self._reader.read(shard)

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The records that `read` gives, packed; the way to read many of them.

        Args:
            shard: one of `shards`.
            videos: videos a block, at least 1; exactly so many in each but the last of the shard.

        Returns:
            Blocks whose arrays the next one may overwrite: copy what is kept longer.

        Raises:
            UsageError: a block of no videos.
            And what `read` raises; records before a defective one that did not fill a block are then lost.
        """
        self._check_own(shard)
        check_block_size(videos)
        return self._reader.read_blocks(shard, videos)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a shard stands; reads the shard, so for error messages only."""
        return self._reader.place(shard, row)

    def _check_own(self, shard: Path) -> None:
        if shard not in self.shards:
            raise NotFoundError("is not a shard of this source", where=shard)

    def fingerprint(self) -> str:
        """sha256 (64 hex digits) over name, size and content of all files, computed on the first call."""
        if self._fingerprint is None:
            self._fingerprint = fingerprint((*self.shards, *self._sidecars))
        return self._fingerprint


def open_source(
    patterns: Sequence[str],
    *,
    schema: FeatureSchema | None = None,
    num_classes: int | None = None,
    on_corrupt: OnCorrupt = "fail",
    quarantine: Path | None = None,
    require_labels: bool = False,
    max_frames: int | None = None,
    labels: Path | None = None,
) -> Source:
    """Find the files of a source and what they hold.

    Args:
        patterns: files or glob patterns: TFRecord shards, or .npy, .h5/.hdf5, .parquet (by suffix).
        schema: what the records must be; detected from the first records when None.
        num_classes: C, for data of no published release; when neither given nor known, the largest label + 1,
            which reads all records once.
        on_corrupt: "fail", "skip" or "quarantine", for damaged and for defective records alike.
        quarantine: folder for the bytes of records left out, with policy "quarantine".
        require_labels: a record without labels is defective.
        max_frames: cut longer videos; None keeps all frames (YouTube-8M has up to 360 a video).
        labels: labels file beside arrays; arrays only.

    Raises:
        NotFoundError: a pattern matches no file.
        DataError: a file is empty, or no record can be read.
        SchemaError: the data do not fit `schema`, or the number of classes cannot be told.
        UsageError: options that do not fit together.
        CorruptShardError, RecordError: the first records are unusable (policy "fail").
    """
    if schema and num_classes not in (None, schema.num_classes):
        raise UsageError(f"num_classes is {num_classes}, but the schema has {schema.num_classes}")
    shards, policy = find_shards(patterns), Policy(on_corrupt, quarantine)
    classes = schema.num_classes if schema else num_classes
    if any(map(is_array, shards)):
        if not all(map(is_array, shards)):
            raise SchemaError("arrays and TFRecord shards cannot be mixed in one source", where=shards[0])
        arrays = open_arrays(shards, policy, labels, classes, require_labels)
        if schema:
            check_against(schema, Layout.of(arrays.schema), shards[0])
        _check_cut(arrays.schema, max_frames)
        return Source(arrays, shards, policy, require_labels, arrays.sidecars)
    if labels:
        raise UsageError("a labels file goes with arrays; TFRecord shards carry their labels")
    layout = _detect(shards, policy)
    if schema:
        check_against(schema, layout, shards[0])
        schema = replace(schema, synthetic_frames=layout.synthetic_frames)
    else:
        schema = layout.schema(classes or known_num_classes(layout) or _count_classes(layout, shards, policy))
    _check_cut(schema, max_frames)
    if max_frames is not None:
        schema = replace(schema, max_frames=max_frames)
    return Source(TFRecordReader(schema, policy, require_labels), shards, policy, require_labels)


def _check_cut(schema: FeatureSchema, max_frames: int | None) -> None:
    if max_frames is not None and schema.level == "video":
        raise UsageError("max_frames cuts frames, but these records are video level")


def _detect(shards: Sequence[Path], policy: Policy) -> Layout:
    """The most common layout among the first records that have one."""
    looking, failing = policy.without_record(), Policy()
    first_error: RecordError | None = None
    for shard in shards:
        layouts: Counter[Layout] = Counter()
        for raw in islice(read_records(shard, looking), _RECORDS_TO_DETECT):
            try:
                layouts[detect_layout(raw.data)] += 1
            except RecordError as error:
                try:
                    leave_out(failing, shard, raw, error)
                except RecordError as placed:
                    first_error = first_error or placed
        if layouts:
            return layouts.most_common(1)[0][0]
        if first_error and policy.on_corrupt == "fail":
            break
    raise first_error or DataError("no record can be read", where=shards[0])


def _count_classes(layout: Layout, shards: Sequence[Path], policy: Policy) -> int:
    reader = TFRecordReader(layout.schema(MAX_CLASSES), policy.without_record())
    largest = -1
    for shard in shards:
        for block in reader.read_blocks(shard, VIDEOS_A_BLOCK[layout.level]):
            largest = max(largest, int(block.classes.max(initial=-1)))
    if largest < 0:
        what = "no record has labels, so the number of classes is unknown"
        raise SchemaError(what, where=shards[0], hint=NUM_CLASSES_HINT)
    return largest + 1
