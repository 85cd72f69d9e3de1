"""All videos of a source as arrays, from which training slices its batches.

`load_table` reads the shards twice, or uses the memory-mapped copy of an earlier run. After the first pass
all sizes are known, so the features are never in memory twice; with a cache they are never in memory at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from compress.artifacts.lock import made_once
from compress.artifacts.npy import npy_file
from compress.datasets.catalogue import Catalogue, scan
from compress.datasets.record import VIDEOS_PER_BLOCK, Block
from compress.datasets.schema import FeatureSchema
from compress.datasets.shard_sizes import ShardSize, shard_sizes
from compress.datasets.source import Source
from compress.datasets.table_cache import cache_folder, read_cache, write_cache
from compress.errors import DataError
from compress.labels import Labels
from compress.progress import Note, Progress, Reporter, check_interrupt, silent

_CHANGED = "the shards changed while they were read; run again when nobody writes to them"


class FeatureRows(Protocol):
    """Anything that is indexed like a float32 array (N, D): whole rows by number or slice."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray | slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class VideoTable:
    """N videos at video level, of a source or of arrays in memory.

    Args:
        ids: (N,) S<w>, in reading order.
        features: float32 (N, D), possibly a read-only memory map, or anything that is read like one.
        labels: of the N videos; rows are empty where a video is unlabelled.
        schema: of the source.
        shards: the files that the videos came from; none for arrays.
    """

    ids: np.ndarray
    features: np.ndarray | FeatureRows
    labels: Labels
    schema: FeatureSchema
    shards: tuple[ShardSize, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Copies of some rows.

        Args:
            rows: int64 (B,), each in [0, N).

        Returns:
            features float32 (B, D) and labels bool (B, C).
        """
        return np.asarray(self.features[rows]), self.labels.multi_hot(rows)


@dataclass(frozen=True)
class FrameTable:
    """N videos at frame level.

    Args:
        ids: (N,) S<w>, in reading order.
        frames: (sum of T, D), uint8 codes or float32, possibly a read-only memory map.
        indptr: int64 (N + 1,); the frames of video i are `frames[indptr[i]:indptr[i + 1]]`.
        labels: of the N videos; rows are empty where a video is unlabelled.
        schema: of the source.
        shards: the files that the videos came from; none for arrays.
    """

    ids: np.ndarray
    frames: np.ndarray
    indptr: np.ndarray
    labels: Labels
    schema: FeatureSchema
    shards: tuple[ShardSize, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def num_frames(self) -> np.ndarray:
        """Length of each video, int64 (N,)."""
        return np.diff(self.indptr)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Copies of some rows, padded with zeros to the longest of them.

        Args:
            rows: int64 (B,), each in [0, N).

        Returns:
            frames (B, Tmax, D) of the table's type, num_frames int64 (B,), labels bool (B, C).
        """
        starts = self.indptr[rows]
        lengths = self.indptr[rows + 1] - starts
        # A plain view: slices of a memory map are memory maps, which cost 2 us each.
        stored = np.asarray(self.frames)
        # Only the padding is set to zero: zeroing everything would be a second pass over memory.
        frames = np.empty((len(rows), lengths.max(initial=0), stored.shape[1]), dtype=stored.dtype)
        for video, start, length in zip(frames, starts.tolist(), lengths.tolist(), strict=True):
            video[:length] = stored[start : start + length]
            video[length:] = 0
        return frames, lengths, self.labels.multi_hot(rows)


Table = VideoTable | FrameTable


def load_table(source: Source, *, cache: Path | None = None, report: Reporter = silent) -> Table:
    """All videos of a source: a VideoTable or FrameTable, by the level of its schema.

    Args:
        source: to read.
        cache: folder for memory-mapped copies, one per content and schema; None keeps the table in memory. A
            table with skipped records is not cached, so that every run counts them. While another process
            makes the same copy, this one waits.
        report: called with progress, and when a damaged copy had to be made again.

    Raises:
        RecordError: a defective record, or an id that occurs twice.
        CorruptShardError: a damaged shard (policy "fail").
        DataError: no usable record, or the shards changed while they were read.
        StorageError: the disk refuses the copy.
        Interrupted: on request.
    """
    if cache is None:
        return _read(source, None, report)
    folder = cache_folder(cache, source)
    return made_once(
        folder,
        "the copy of the data, which is then used here too",
        lambda: _kept(source, folder, report),
        lambda: _read(source, folder, report),
        report,
    )


def _kept(source: Source, folder: Path, report: Reporter) -> Table | None:
    """What an earlier command has left in the cache."""
    kept = read_cache(folder, source, report)
    if kept is None:
        return None
    catalogue, rows, unlabelled = kept
    source.tell_contents(report)
    source.tell_labels(catalogue.ids, report)
    _tell_unlabelled(source, unlabelled, len(catalogue), report)
    return _table(source, catalogue, rows)


def _read(source: Source, folder: Path | None, report: Reporter) -> Table:
    """What is in the shards, into `folder` or into memory."""
    catalogue = scan(source, report)
    _tell_unlabelled(source, source.unlabelled, len(catalogue), report)
    blocks = _blocks(source, catalogue, report)
    shape, dtype = _shape(source, catalogue)
    if folder is not None and not source.skipped and not source.repeats:
        content = npy_file(shape, dtype, blocks)
        return _table(source, catalogue, write_cache(folder, source, catalogue, content))
    if folder is not None:
        number = len(source.skipped) + source.repeats
        left_out = f"{number} records or parts of shards were left out"
        report(Note(f"{left_out}, so the table is not cached"))
    filled, start = np.empty(shape, dtype), 0
    for block in blocks:
        filled[start : start + len(block)] = block
        start += len(block)
    return _table(source, catalogue, filled)


def _tell_unlabelled(source: Source, unlabelled: int, labelled: int, report: Reporter) -> None:
    if unlabelled:
        shards = source.shards[0].name if len(source.shards) == 1 else f"{len(source.shards)} shards"
        total = unlabelled + labelled
        report(
            Note(f"{shards}: left out {unlabelled:,} of {total:,} videos, which have no labels", once=True)
        )


def _shape(source: Source, catalogue: Catalogue) -> tuple[tuple[int, int], np.dtype]:
    rows = len(catalogue) if catalogue.num_frames is None else int(catalogue.num_frames.sum())
    return (rows, source.schema.dim), np.dtype(source.schema.row_type)


def _table(source: Source, catalogue: Catalogue, rows: np.ndarray) -> Table:
    schema, labels, shards = source.schema, catalogue.labels, shard_sizes(source, catalogue)
    if labels is None:
        labels = Labels.empty(len(catalogue), schema.num_classes)
    if catalogue.num_frames is None:
        return VideoTable(catalogue.ids, rows, labels, schema, shards)
    indptr = np.concatenate([[0], np.cumsum(catalogue.num_frames)])
    return FrameTable(catalogue.ids, rows, indptr, labels, schema, shards)


def _blocks(source: Source, catalogue: Catalogue, report: Reporter) -> Iterator[np.ndarray]:
    """The features (b, D) or frames (sum of T, D) of all videos, some videos at a time."""
    done = 0
    for shard in source.shards:
        for block in source.read_blocks(shard, VIDEOS_PER_BLOCK[source.schema.level]):
            _check_same(block, catalogue, done, shard)
            done += len(block)
            yield block.rows
            report(Progress("load", done, len(catalogue)))
            check_interrupt()
    if done != len(catalogue):
        raise DataError(f"had {len(catalogue)} videos, now {done}", where=source.shards[-1], hint=_CHANGED)


def _check_same(block: Block, catalogue: Catalogue, start: int, shard: Path) -> None:
    # The second pass must see what the first one saw, or features would get the ids of other videos.
    rows = slice(start, start + len(block))
    same = np.array_equal(block.ids, catalogue.ids[rows])
    if same and catalogue.num_frames is not None and block.num_frames is not None:
        same = np.array_equal(block.num_frames, catalogue.num_frames[rows])
    if not same:
        raise DataError("holds other videos than a moment ago", where=shard, hint=_CHANGED)
