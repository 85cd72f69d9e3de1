"""From shards to a table: scan, then fill; or take the memory-mapped copy that an earlier run made.

Two passes, so that every array has its final size from the start and the features never stand in memory
twice; with a cache they never stand in memory at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from compress.datasets.blocks import VIDEOS_A_BLOCK, Block
from compress.datasets.catalogue import Catalogue, scan
from compress.datasets.frame_table import FrameTable
from compress.datasets.labels import Labels
from compress.datasets.source import Source
from compress.datasets.table_cache import RowFile, cache_folder, read_cache, write_cache
from compress.datasets.video_table import VideoTable
from compress.errors import DataError
from compress.progress import Note, Progress, Reporter, check_interrupt, silent

__all__ = ["FrameTable", "Table", "VideoTable", "load_table"]

Table = VideoTable | FrameTable


def load_table(source: Source, *, cache: Path | None = None, report: Reporter = silent) -> Table:
    """All videos of a source: a VideoTable or FrameTable, by the level of its schema.

    Args:
        source: what to read.
        cache: folder for memory-mapped copies, one for each content and schema; None keeps the table in
            memory. A table from which the policy left records out is not kept: each run shall count them.
        report: told about progress, and when a damaged copy had to be made again.

    Raises:
        RecordError: a defective record, or an id that occurs twice.
        CorruptShardError: a damaged shard (policy "fail").
        DataError: no usable record, or the shards changed while they were read.
        StorageError: the disk refuses the copy.
    """
    kept = None if cache is None else read_cache(cache_folder(cache, source), source, report)
    if kept is not None:
        return _table(source, *kept)
    catalogue = scan(source, report)
    blocks = _blocks(source, catalogue, report)
    shape, dtype = _shape(source, catalogue)
    if cache is not None and not source.skipped:
        file = RowFile(shape, dtype, blocks)
        return _table(source, catalogue, write_cache(cache_folder(cache, source), source, catalogue, file))
    if cache is not None:
        report(Note(f"{len(source.skipped)} pieces of shards were left out, so the table is not kept"))
    return _table(source, catalogue, _fill(np.empty(shape, dtype), blocks))


def _shape(source: Source, catalogue: Catalogue) -> tuple[tuple[int, int], np.dtype]:
    if catalogue.num_frames is None:
        return (len(catalogue), source.schema.dim), np.dtype("<f4")
    return (int(catalogue.num_frames.sum()), source.schema.dim), np.dtype("u1")


def _table(source: Source, catalogue: Catalogue, rows: np.ndarray) -> Table:
    schema, labels = source.schema, catalogue.labels
    if labels is None:
        empty = np.zeros(len(catalogue) + 1, dtype=np.int64)
        labels = Labels(empty, np.zeros(0, dtype=np.int32), schema.num_classes)
    if catalogue.num_frames is None:
        return VideoTable(catalogue.ids, rows, labels, schema)
    indptr = np.concatenate([[0], np.cumsum(catalogue.num_frames)])
    return FrameTable(catalogue.ids, rows, indptr, labels, schema)


def _fill(rows: np.ndarray, blocks: Iterator[np.ndarray]) -> np.ndarray:
    start = 0
    for block in blocks:
        rows[start : start + len(block)] = block
        start += len(block)
    return rows


def _blocks(source: Source, catalogue: Catalogue, report: Reporter) -> Iterator[np.ndarray]:
    """The features (b, D) or frames (sum of T, D) of all videos, some videos at a time."""
    done = 0
    for shard in source.shards:
        for block in source.read_blocks(shard, VIDEOS_A_BLOCK[source.schema.level]):
            _check_same(block, catalogue, done, shard)
            done += len(block)
            yield block.rows
            report(Progress("load", done, len(catalogue)))
            check_interrupt()
    if done != len(catalogue):
        raise DataError(f"had {len(catalogue)} videos, now {done}", where=source.shards[-1], hint=_CHANGED)


_CHANGED = "the shards changed while they were read; run again when nobody writes to them"


def _check_same(block: Block, catalogue: Catalogue, start: int, shard: Path) -> None:
    # The second pass must see what the first one saw, or features would be filed under foreign ids.
    rows = slice(start, start + len(block))
    same = np.array_equal(block.ids, catalogue.ids[rows])
    if same and catalogue.num_frames is not None and block.num_frames is not None:
        same = np.array_equal(block.num_frames, catalogue.num_frames[rows])
    if not same:
        raise DataError("holds other videos than a moment ago", where=shard, hint=_CHANGED)
