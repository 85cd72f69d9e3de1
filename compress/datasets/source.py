"""A source: files of one schema, read record by record. Everything starts with `open_source`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts import disk
from compress.artifacts.atomic import sha256_file
from compress.datasets.contents import Contents
from compress.datasets.files import dead_links, find_files
from compress.datasets.formats import format_of, suffixes
from compress.datasets.formats.format import Format, ShardReader, Wanted
from compress.datasets.label_file import LabelFile, open_label_file
from compress.datasets.part import Part
from compress.datasets.policy import OnCorrupt, Policy, SkippedRecord
from compress.datasets.record import Block, Record, check_block_size
from compress.datasets.schema import NUM_CLASSES_HINT, FeatureSchema
from compress.datasets.views import JoinedReader, LabelledReader, PartReader, WithoutRows
from compress.datasets.vocabulary import Vocabulary
from compress.description import NOTHING_SAID, Description, LabelsOption, labels_option
from compress.errors import DataError, NotFoundError, SchemaError, UsageError
from compress.progress import Note, Reporter

_ANY_CLASSES = 1 << 20


class Source:
    """Shards of one schema.

    Args:
        readers: the reader of each file, in order.
        policy: what happens to unusable records.
        require_labels: videos without labels are left out.
        description: what was said about the files.
        labels: the file that the labels come from, if it is another one.
        part: which of the videos are read; None for all.
    """

    def __init__(
        self,
        readers: Mapping[Path, ShardReader],
        policy: Policy,
        require_labels: bool = False,
        description: Description = NOTHING_SAID,
        labels: LabelFile | None = None,
        part: Part | None = None,
    ) -> None:
        self.shards, self.require_labels, self.description = tuple(readers), require_labels, description
        self._readers, self._policy, self._labels, self._part = readers, policy, labels, part
        schemas = [reader.schema for reader in readers.values()]
        self._schema = next((each for each in schemas if each.class_names), schemas[0])
        self._fingerprint: str | None = None
        views = {id(each): each for each in readers.values() if isinstance(each, LabelledReader)}
        self._labelled = tuple(views.values())
        self.dead_links: tuple[Path, ...] = ()  # that were found instead of files, and left out
        self.repeats = 0  # videos left out because their id occurred before; known after `scan`

    @property
    def schema(self) -> FeatureSchema:
        """The schema of every record."""
        return self._schema

    @property
    def skipped(self) -> list[SkippedRecord]:
        """Records left out so far, by shard and offset; complete after every shard was read once."""
        return self._policy.skipped

    @property
    def on_corrupt(self) -> OnCorrupt:
        """What happens to unusable records, and to videos whose id occurred before (which are not copied)."""
        return self._policy.on_corrupt

    def leave_out_repeats(self, rows: Mapping[Path, np.ndarray]) -> None:
        """Read these videos of shards no more; int64, ascending."""
        without = {shard: WithoutRows(self._readers[shard], its) for shard, its in rows.items()}
        self._readers = {**self._readers, **without}
        self.repeats += sum(map(len, rows.values()))

    @property
    def contents(self) -> Mapping[Path, Contents]:
        """What each file holds, and what of it is used."""
        return {path: reader.contents for path, reader in self._readers.items()}

    def tell_contents(self, report: Reporter) -> None:
        """Note what was assumed about the files, what is not used in them, and links that lead to none."""
        files: dict[str, list[Path]] = {}
        for path, contents in self.contents.items():
            for sentence in contents.told():
                files.setdefault(sentence, []).append(path)
        if self.dead_links:
            count = len(self.dead_links)
            report(Note(f"left out {count:,} links to nothing; the first is {self.dead_links[0]}", once=True))
        for sentence, paths in files.items():
            where = "" if len(paths) == len(self.shards) else f"{_some(paths)}: "
            report(Note(f"{where}{sentence}", once=True))

    def labels_told(self, ids: np.ndarray) -> list[str]:
        """Which of all videos, S<w> (N,), a separate labels file lacks, and which it has besides."""
        return [] if self._labels is None else self._labels.told(ids)

    def tell_labels(self, ids: np.ndarray, report: Reporter) -> None:
        """Note what `labels_told` says."""
        for sentence in self.labels_told(ids):
            report(Note(sentence, once=True))

    @property
    def unlabelled(self) -> int:
        """Videos left out because they have no labels; complete after every shard was read once."""
        return sum(sum(view.left_out.values()) for view in self._labelled)

    def read(self, shard: Path) -> Iterator[Record]:
        """Every usable record of a shard, in order, validated.

        Raises:
            CorruptShardError: a checksum is wrong or the shard ends early (policy "fail").
            RecordError: a record does not fit the schema (policy "fail"); names file, record, offset, id.
            NotFoundError: the shard is not of this source, or gone.
        """
        return self._reader(shard).read(shard)

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The records of `read`, packed into blocks: the fast way to read many.

        Args:
            shard: one of `shards`.
            videos: per block at most, at least 1.

        Returns:
            Blocks whose arrays the next one may overwrite: copy what you keep longer.

        Raises:
            UsageError: `videos` is below 1.
            What `read` raises; records before a defective one that did not fill a block are then lost.
        """
        reader = self._reader(shard)
        check_block_size(videos)
        return reader.read_blocks(shard, videos)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a shard is; it reads the shard, so only for error messages."""
        return self._reader(shard).place(shard, row)

    def fingerprint(self) -> str:
        """sha256 (64 hex digits) of the names, sizes and contents of all files, computed on the first call.

        Times do not count; separate labels files do, what the records have from the names of folders, and
        which part of the videos it is.
        """
        if self._fingerprint is None:
            digest = hashlib.sha256(b"" if self._part is None else self._part.identity().encode())
            labels = [reader.labels_file for reader in self._readers.values()]
            for path in (*self.shards, *filter(None, labels)):
                with disk.storage_errors(path):
                    size = path.stat().st_size
                digest.update(f"{path.name}\0{size}\0{sha256_file(path)}\n".encode())
            for said in (reader.folder_says for reader in self._readers.values()):
                digest.update(said.encode())
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def _reader(self, shard: Path) -> ShardReader:
        if shard not in self._readers:
            raise NotFoundError("is not a shard of this source", where=shard)
        return self._readers[shard]


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
    vocabulary: Vocabulary | None = None,
    description: Description = NOTHING_SAID,
    run: FeatureSchema | None = None,
    part: Part | None = None,
) -> Source:
    """Find the files of a source and detect their schema.

    Args:
        patterns: files, folders or patterns with wildcards (see `find_files`); the suffix of a file gives its
            format (see `compress.datasets.formats`).
        schema: of the records; detected from the first records when None.
        num_classes: C, for data of no published release; when neither given nor known, the largest label + 1,
            for which all records are read once.
        on_corrupt: "fail", "skip" or "quarantine", for damaged and defective records.
        quarantine: folder for the bytes of skipped records, with policy "quarantine".
        require_labels: leave out videos without labels, and count them (`Source.unlabelled`).
        max_frames: cut longer videos; None keeps all frames (YouTube-8M has up to 360 per video).
        labels: file with the labels, which may also be named by `description.labels`. Those of a single .npy
            file are in the order of its rows; all others are joined by the ids.
        vocabulary: names of the classes, for labels that are names. Those of `schema` and `run` come first;
            without any, all names that occur in the files are numbered.
        description: names in the files, where they cannot be seen.
        run: what the run reads that these videos are for: its features, in its order. Unlike with `schema`,
            the files may have another number of classes; where they do not say, it is the run's.
        part: read only these videos.

    Raises:
        NotFoundError: a pattern matches no file.
        DataError: a file is empty, or no record can be read.
        SchemaError: the data do not fit `schema`, or the number of classes is unknown.
        UsageError: options that contradict each other.
        UnavailableError: a Parquet file, and pyarrow is not installed.
        CorruptShardError, RecordError: the first records are unusable (policy "fail").
    """
    if schema and num_classes not in (None, schema.num_classes):
        raise UsageError(f"num_classes is {num_classes}, but the schema has {schema.num_classes}")
    shards, policy = find_shards(patterns), Policy(on_corrupt, quarantine)
    formats: dict[Format, list[Path]] = {}
    for path in shards:
        formats.setdefault(format_of(path), []).append(path)
    if len({each.kind for each in formats}) > 1:
        raise SchemaError("arrays and TFRecord shards cannot be mixed in one source", where=shards[0])
    reads = schema or run
    if reads and reads.class_names and (vocabulary is None or not vocabulary.fits(reads.class_names)):
        vocabulary = Vocabulary.from_list(reads.class_names)
    wanted = Wanted(policy, schema, num_classes, max_frames, None, vocabulary, description, run)
    option = labels_option(description.labels) if labels is None else LabelsOption(labels)
    label_file = None
    if option.path is not None:
        wanted = replace(wanted, description=replace(description, labels=None))
        if len(shards) == 1 and format_of(shards[0]).takes_labels_file:
            wanted = replace(wanted, labels=option)
        else:
            label_file = open_label_file(option, wanted)
            wanted = replace(wanted, vocabulary=None, labels_elsewhere=True, **_any_labels(schema))
    readers = _open(formats, wanted)
    if label_file is not None:
        readers = {path: JoinedReader(reader, label_file) for path, reader in readers.items()}
    if part is not None:
        readers = {path: PartReader(reader, part) for path, reader in readers.items()}
    if require_labels:
        readers = {path: LabelledReader(reader) for path, reader in readers.items()}
    in_order = {path: readers[path] for path in shards}
    source = Source(in_order, policy, require_labels, description, label_file, part)
    source.dead_links = tuple(dead_links(patterns, suffixes()))
    for path, reader in readers.items():
        if reader.schema != source.schema:
            raise SchemaError(
                f"holds {reader.schema}, but {shards[0].name} holds {source.schema}",
                where=path,
                hint=f"{NUM_CLASSES_HINT}, when only the number of classes differs",
            )
    return source


def _any_labels(schema: FeatureSchema | None) -> dict[str, Any]:
    """What lets a reader pass over labels of the files themselves, whatever they are."""
    if schema is None:
        return {"num_classes": _ANY_CLASSES}
    return {"num_classes": None, "schema": replace(schema, num_classes=_ANY_CLASSES, class_names=())}


def _open(formats: Mapping[Format, Sequence[Path]], wanted: Wanted) -> dict[Path, ShardReader]:
    readers: dict[Path, ShardReader] = {}
    for each, paths in formats.items():
        readers |= each.open(paths, wanted)
    lists = {reader.schema.class_names for reader in readers.values()} - {()}
    if wanted.vocabulary is not None or len(lists) < 2:
        return readers
    # Each file has numbered its own names: once more, with the names of all.
    everything = Vocabulary.of(name for names in lists for name in names)
    return _open(formats, replace(wanted, vocabulary=everything))


def find_shards(patterns: Sequence[str]) -> tuple[Path, ...]:
    """The files that match, sorted, each once; none is empty.

    Raises:
        UsageError, NotFoundError: see `find_files`.
        DataError: a file is empty.
        StorageError: a file cannot be read.
    """
    shards = find_files(patterns)
    for path in shards:
        _check_start(path)
    return shards


def _some(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
    return f"{paths[0].name}{more}"


def _check_start(path: Path) -> None:
    with disk.storage_errors(path), path.open("rb") as shard:
        start = shard.read(1)
    if not start:
        raise DataError("the file is empty", where=path, hint="fetch it again or leave it out of the pattern")
