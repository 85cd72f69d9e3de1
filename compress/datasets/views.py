"""Readers on top of readers: with the labels of another file, or of a part of the videos."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from compress.datasets.formats.format import ShardReader
from compress.datasets.label_file import LabelFile
from compress.datasets.part import Part, take
from compress.datasets.record import Block, Record

_RECORDS = 256


class JoinedReader:
    """A reader whose videos have the labels of a file, by their ids; labels of its own do not count.

    Args:
        reader: of the videos.
        labels: of the videos, and of others perhaps.
    """

    def __init__(self, reader: ShardReader, labels: LabelFile) -> None:
        names = labels.class_names
        self.schema = replace(reader.schema, num_classes=labels.num_classes, class_names=names)
        self.contents, self.labels_file = labels.contents(reader.contents), labels.path
        self.folder_says = reader.folder_says
        self._reader, self._labels = reader, labels

    def read(self, shard: Path) -> Iterator[Record]:
        """Every record of a shard with its labels."""
        for chunk in _chunks(self._reader.read(shard)):
            counts, classes = self._labels.labels_of(_ids(chunk))
            lists = np.split(classes, np.cumsum(counts)[:-1])
            for record, its in zip(chunk, lists, strict=True):
                yield replace(record, labels=its)

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of `videos`."""
        for block in self._reader.read_blocks(shard, videos):
            counts, classes = self._labels.labels_of(block.ids)
            yield replace(block, num_labels=counts, classes=classes)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a shard is, for an error message."""
        return self._reader.place(shard, row)


class LabelledReader:
    """A reader of the videos of another one that have labels; it counts those that have none.

    A video without labels is no defect, and it is no video of which nothing is true: nobody said what is in
    it. So nothing can be learnt from it, or measured on it.
    """

    def __init__(self, reader: ShardReader) -> None:
        self.schema, self.contents, self.labels_file = reader.schema, reader.contents, reader.labels_file
        self.folder_says = reader.folder_says
        self.left_out: dict[Path, int] = {}
        self._reader = reader

    def read(self, shard: Path) -> Iterator[Record]:
        """Every record of a shard that has labels."""
        for record in self._reader.read(shard):
            if len(record.labels):
                yield record

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of at most `videos`; afterwards `left_out` counts the others."""
        left_out = 0
        for block in self._reader.read_blocks(shard, videos):
            kept = block.num_labels > 0
            left_out += len(block) - int(np.count_nonzero(kept))
            if kept.all():
                yield block
            elif kept.any():
                yield take(block, kept)
        self.left_out[shard] = left_out

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th record with labels is, for an error message."""
        return _place(self._reader, shard, row, lambda block: block.num_labels > 0)


class PartReader:
    """A reader of a part of the videos of another one."""

    def __init__(self, reader: ShardReader, part: Part) -> None:
        self.schema, self.contents, self.labels_file = reader.schema, reader.contents, reader.labels_file
        self.folder_says = reader.folder_says
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
        return _place(self._reader, shard, row, lambda block: self._part.holds(block.ids))


class WithoutRows:
    """A reader of all videos of a shard but some.

    Args:
        reader: of the videos.
        rows: int64, ascending, numbers of those that are left out.
    """

    def __init__(self, reader: ShardReader, rows: np.ndarray) -> None:
        self.schema, self.contents, self.labels_file = reader.schema, reader.contents, reader.labels_file
        self.folder_says = reader.folder_says
        self._reader, self._rows = reader, rows

    def read(self, shard: Path) -> Iterator[Record]:
        """Every other record of the shard."""
        left_out = set(self._rows.tolist())
        return (record for row, record in enumerate(self._reader.read(shard)) if row not in left_out)

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of at most `videos`."""
        start = 0
        for block in self._reader.read_blocks(shard, videos):
            kept = ~np.isin(np.arange(start, start + len(block)), self._rows)
            start += len(block)
            if kept.any():
                yield block if kept.all() else take(block, kept)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th of the other records is, for an error message."""
        for left_out in self._rows.tolist():
            row += left_out <= row
        return self._reader.place(shard, row)


def _chunks(records: Iterator[Record]) -> Iterator[list[Record]]:
    while chunk := list(islice(records, _RECORDS)):
        yield chunk


def _ids(records: Sequence[Record]) -> np.ndarray:
    return np.array([record.video_id for record in records], dtype=np.bytes_)


def _place(reader: ShardReader, shard: Path, row: int, keeps: Callable[[Block], np.ndarray]) -> str:
    """Where the row-th of the records that are kept is."""
    start = 0
    for block in reader.read_blocks(shard, _RECORDS):
        kept = np.flatnonzero(keeps(block))
        if row < len(kept):
            return reader.place(shard, start + int(kept[row]))
        row, start = row - len(kept), start + len(block)
    return f"{shard}: usable record {row}"
