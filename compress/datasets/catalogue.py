"""One pass over a source: every id and label, every record validated, nothing of the features kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from compress.datasets.labels import Labels
from compress.datasets.record import FrameRecord, Record
from compress.datasets.source import Source
from compress.errors import DataError, RecordError
from compress.progress import Progress, Reporter, check_interrupt, silent

_BLOCK = 4096


@dataclass(frozen=True)
class Catalogue:
    """What a source holds.

    Args:
        ids: (N,) S<w>, in reading order, all different.
        labels: of the N videos; None when no record has any.
        rows_per_shard: int64 (shards,), in the order of `source.shards`; sums to N.
        num_frames: int64 (N,); None at video level.
    """

    ids: np.ndarray
    labels: Labels | None
    rows_per_shard: np.ndarray
    num_frames: np.ndarray | None

    def __len__(self) -> int:
        return len(self.ids)


def scan(source: Source, report: Reporter = silent) -> Catalogue:
    """Read and validate everything once, in memory that grows by ids and labels only.

    Args:
        source: what to read.
        report: told after each shard.

    Raises:
        RecordError: a defective record, or an id that occurs twice; names file, record, offset and id.
        CorruptShardError: a damaged shard (policy "fail").
        DataError: no usable record at all.
    """
    blocks, rows_per_shard = [], []
    for number, shard in enumerate(source.shards):
        new = list(_blocks(source.read(shard)))
        blocks += new
        rows_per_shard.append(sum(len(block.ids) for block in new))
        report(Progress("scan", number + 1, len(source.shards), "shards"))
        check_interrupt()
    if not blocks:
        raise DataError("no usable record", where=source.shards[0])
    ids = np.concatenate([block.ids for block in blocks])
    rows = np.array(rows_per_shard, dtype=np.int64)
    _check_distinct(source, ids, rows)
    frames = np.concatenate([block.num_frames for block in blocks])
    labels = _join_labels(blocks, source.schema.num_classes)
    return Catalogue(ids, labels, rows, frames if source.schema.level == "frame" else None)


@dataclass(frozen=True)
class _Block:
    ids: np.ndarray
    num_labels: np.ndarray
    classes: np.ndarray
    num_frames: np.ndarray


def _blocks(records: Iterator[Record]) -> Iterator[_Block]:
    """Packs records into arrays, so that millions of them are not millions of Python objects."""
    ids: list[bytes] = []
    labels: list[np.ndarray] = []
    frames: list[int] = []
    for record in records:
        ids.append(record.video_id)
        labels.append(record.labels)
        frames.append(len(record.frames) if isinstance(record, FrameRecord) else 0)
        if len(ids) == _BLOCK:
            yield _pack(ids, labels, frames)
            ids, labels, frames = [], [], []
    if ids:
        yield _pack(ids, labels, frames)


def _pack(ids: list[bytes], labels: list[np.ndarray], frames: list[int]) -> _Block:
    return _Block(
        ids=np.array(ids, dtype=np.bytes_),
        num_labels=np.array([len(row) for row in labels], dtype=np.int64),
        classes=np.concatenate(labels),
        num_frames=np.array(frames, dtype=np.int64),
    )


def _join_labels(blocks: list[_Block], num_classes: int) -> Labels | None:
    counts = np.concatenate([block.num_labels for block in blocks])
    if not counts.any():
        return None
    indptr = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=indptr[1:])
    return Labels(indptr, np.concatenate([block.classes for block in blocks]), num_classes)


def _check_distinct(source: Source, ids: np.ndarray, rows_per_shard: np.ndarray) -> None:
    order = np.argsort(ids, kind="stable")
    twice = np.flatnonzero(ids[order][1:] == ids[order][:-1])
    if not len(twice):
        return
    first_repeat = int(np.argmin(order[twice + 1]))
    places = []
    for row in (order[twice[first_repeat]], order[twice[first_repeat] + 1]):
        shard, start = _shard_of(int(row), rows_per_shard)
        places.append(source.place(source.shards[shard], int(row) - start))
    raise RecordError(
        f"the id occurs twice, first at {places[0]}",
        where=places[1],
        hint="leave one of the files out if the same shard is given under two names",
    )


def _shard_of(row: int, rows_per_shard: np.ndarray) -> tuple[int, int]:
    """The shard that holds a row, and the row with which it starts."""
    ends = np.cumsum(rows_per_shard)
    shard = int(np.searchsorted(ends, row, side="right"))
    return shard, int(ends[shard] - rows_per_shard[shard])
