"""Readers on top of readers: with the labels of another file, or with a part of the videos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from compress.datasets.formats.format import ShardReader
from compress.datasets.label_file import LabelFile
from compress.datasets.part import Part, take
from compress.datasets.policy import Policy, SkippedRecord
from compress.datasets.record import Block, Record
from compress.errors import RecordError

_RECORDS = 256


class JoinedReader:
    """A reader whose videos have the labels of a file, by their ids; labels of its own do not count.

    Args:
        reader: of the videos; it must not require labels.
        labels: of the videos, and of others perhaps.
        policy: what happens to a video without labels.
        require_labels: a video without labels is defective.
    """

    def __init__(self, reader: ShardReader, labels: LabelFile, policy: Policy, require_labels: bool) -> None:
        names = labels.class_names
        self.schema = replace(reader.schema, num_classes=labels.num_classes, class_names=names)
        self.contents, self.labels_file = labels.contents(reader.contents), labels.path
        self._reader, self._labels = reader, labels
        self._policy, self._require_labels = policy, require_labels

    def read(self, shard: Path) -> Iterator[Record]:
        """Every record of a shard with its labels; RecordError by the policy."""
        row = 0
        for chunk in _chunks(self._reader.read(shard)):
            counts, classes = self._labels.labels_of(_ids(chunk))
            lists = np.split(classes, np.cumsum(counts)[:-1])
            kept = self._with_labels(shard, row, _ids(chunk), counts)
            row += len(chunk)
            for record, its, is_kept in zip(chunk, lists, kept.tolist(), strict=True):
                if is_kept:
                    yield replace(record, labels=its)

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of at most `videos`."""
        row = 0
        for block in self._reader.read_blocks(shard, videos):
            counts, classes = self._labels.labels_of(block.ids)
            kept = self._with_labels(shard, row, block.ids, counts)
            row += len(block)
            joined = replace(block, num_labels=counts, classes=classes)
            if kept.all():
                yield joined
            elif kept.any():
                yield take(joined, kept)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a shard is, for an error message."""
        if not self._require_labels:
            return self._reader.place(shard, row)
        return _place(self._reader, shard, row, lambda ids: self._labels.labels_of(ids)[0] > 0)

    def _with_labels(self, shard: Path, start: int, ids: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Which of some videos have labels, bool (n,); all, where none are needed."""
        if not self._require_labels:
            return np.ones(len(ids), dtype=bool)
        for row in np.flatnonzero(counts == 0).tolist():
            what = f"has no labels in {self._labels.path.name}, which are needed here"
            where = self._reader.place(shard, start + row) if self._policy.on_corrupt == "fail" else shard
            hint = "leave such videos out with --on-corrupt skip"
            skipped = SkippedRecord(shard, start + row, start + row, 0, what)
            self._policy.leave_out(skipped, RecordError(what, where=where, hint=hint), list)
        return counts > 0


class PartReader:
    """A reader of a part of the videos of another one."""

    def __init__(self, reader: ShardReader, part: Part) -> None:
        self.schema, self.contents, self.labels_file = reader.schema, reader.contents, reader.labels_file
        self._reader, self._part = reader, part

    def read(self, shard: Path) -> Iterator[Record]:
        """Every record of a shard that is in the part."""
        for chunk in _chunks(self._reader.read(shard)):
            for record, is_in in zip(chunk, self._part.holds(_ids(chunk)).tolist(), strict=True):
                if is_in:
                    yield record

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of at most `videos`."""
        for block in self._reader.read_blocks(shard, videos):
            kept = self._part.holds(block.ids)
            if kept.any():
                yield take(block, kept)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th record of the part is, for an error message."""
        return _place(self._reader, shard, row, self._part.holds)


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(records, _RECORDS)):
        yield chunk


def _ids(records: Sequence[Record]) -> np.ndarray:
    return np.array([record.video_id for record in records], dtype=np.bytes_)


def _place(reader: ShardReader, shard: Path, row: int, holds: Callable[[np.ndarray], np.ndarray]) -> str:
    """Where the row-th of the records that hold is."""
    start = 0
    for block in reader.read_blocks(shard, _RECORDS):
        kept = np.flatnonzero(holds(block.ids))
        if row < len(kept):
            return reader.place(shard, start + int(kept[row]))
        row, start = row - len(kept), start + len(block)
    return f"{shard}: usable record {row}"
