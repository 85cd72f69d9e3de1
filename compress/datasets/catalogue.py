"""One pass over a source that validates every record and keeps ids and labels, but no features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.datasets.record import VIDEOS_PER_BLOCK, Block
from compress.datasets.schema import FeatureSchema
from compress.datasets.source import Source
from compress.errors import DataError, RecordError
from compress.growing_array import GrowingArray
from compress.labels import Labels
from compress.progress import Note, Progress, Reporter, check_interrupt, silent

_CHUNK = 1 << 16
_WORD = 8
# The constants of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
_GAMMA, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


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
    """Read and validate a source once; only ids and labels are kept in memory.

    Args:
        source: to read.
        report: called after each shard.

    Raises:
        RecordError: a defective record, or an id that occurs twice (policy "fail"; else the later video is
            left out of all that the source reads from now on); names file, record, offset and id.
        CorruptShardError: a damaged shard (policy "fail").
        DataError: no usable record at all.
    """
    source.tell_contents(report)
    videos, rows_per_shard = _Videos(), []
    for number, shard in enumerate(source.shards):
        before = videos.count
        for block in source.read_blocks(shard, VIDEOS_PER_BLOCK[source.schema.level]):
            videos.append(block)
            check_interrupt()
        rows_per_shard.append(videos.count - before)
        report(Progress("scan", number + 1, len(source.shards), "shards"))
        check_interrupt()
    if not videos.count:
        what = (
            f"none of its {source.unlabelled:,} videos has labels"
            if source.unlabelled
            else "no usable record"
        )
        raise DataError(what, where=source.shards[0])
    found = videos.catalogue(np.array(rows_per_shard, dtype=np.int64), source.schema)
    found = _distinct(source, found, report)
    source.tell_labels(found.ids, report)
    return found


class _Videos:
    """Collects what a catalogue keeps of the blocks."""

    def __init__(self) -> None:
        self.count = 0
        self._ids, self._classes = GrowingArray(np.empty(0, "S1")), GrowingArray(np.empty(0, "i4"))
        self._indptr, self._num_frames = GrowingArray(np.empty(0, "i8")), GrowingArray(np.empty(0, "i8"))
        self._indptr.append(np.zeros(1, dtype=np.int64))

    def append(self, block: Block) -> None:
        self.count += len(block)
        self._ids.append(_narrow(block.ids))
        self._classes.append(block.classes)
        self._indptr.append(block.num_labels)
        if block.num_frames is not None:
            self._num_frames.append(block.num_frames)

    def catalogue(self, rows_per_shard: np.ndarray, schema: FeatureSchema) -> Catalogue:
        indptr = self._indptr.finish()  # numbers of labels, after a zero
        np.cumsum(indptr, out=indptr)
        labels = Labels(indptr, self._classes.finish(), schema.num_classes) if indptr[-1] else None
        num_frames = self._num_frames.finish() if schema.level == "frame" else None
        return Catalogue(self._ids.finish(), labels, rows_per_shard, num_frames)


def _narrow(ids: np.ndarray) -> np.ndarray:
    """Ids as wide as the longest: readers give any width, but the result must not depend on the reader."""
    used = np.ascontiguousarray(ids).view(np.uint8).reshape(len(ids), -1).any(axis=0)
    return ids.astype(f"S{np.flatnonzero(used)[-1] + 1}")


def _distinct(source: Source, catalogue: Catalogue, report: Reporter) -> Catalogue:
    """The catalogue of a source without the videos whose id occurred before: an error, by the policy."""
    repeat = first_repeat(catalogue.ids)
    if repeat is None:
        return catalogue
    first, place = (_place(source, catalogue, row) for row in repeat)
    if source.on_corrupt == "fail":
        skip = "--on-corrupt skip leaves out all but the first video of an id"
        raise RecordError(
            f"the id occurs twice, first at {first}",
            where=place,
            hint=f"leave one of the files out if the same shard is given under two names; {skip}",
        )
    kept = np.zeros(len(catalogue), dtype=bool)
    kept[np.unique(catalogue.ids, return_index=True)[1]] = True
    stops = np.cumsum(catalogue.rows_per_shard)
    parts = np.split(kept, stops[:-1])
    source.leave_out_repeats(
        {
            shard: np.flatnonzero(~part)
            for shard, part in zip(source.shards, parts, strict=True)
            if not part.all()
        }
    )
    whole = "; they are whole, so not quarantined" if source.on_corrupt == "quarantine" else ""
    report(
        Note(
            f"left out {source.repeats:,} of {len(kept):,} videos, whose ids occurred before; the first is "
            f"{place}, before at {first}{whole}",
            once=True,
        )
    )
    rows = np.flatnonzero(kept)
    return Catalogue(
        catalogue.ids[rows],
        None if catalogue.labels is None else catalogue.labels.take(rows),
        np.array([part.sum() for part in parts], dtype=np.int64),
        None if catalogue.num_frames is None else catalogue.num_frames[rows],
    )


def _place(source: Source, catalogue: Catalogue, row: int) -> str:
    ends = np.cumsum(catalogue.rows_per_shard)
    shard = int(np.searchsorted(ends, row, side="right"))
    start = int(ends[shard] - catalogue.rows_per_shard[shard])
    return source.place(source.shards[shard], row - start)


def first_repeat(ids: np.ndarray) -> tuple[int, int] | None:
    """(first occurrence, repeat) of the earliest row whose id occurred before; None when all ids differ.

    `ids` are (N,) S<w>. Only where hashes are equal are the ids themselves compared, so it takes 8 bytes per
    id.
    """
    hashes = np.empty(len(ids), dtype=np.uint64)
    for start in range(0, len(ids), _CHUNK):
        hashes[start : start + _CHUNK] = hash_ids(ids[start : start + _CHUNK])
    hashes.sort()
    if not (hashes[1:] == hashes[:-1]).any():
        return None
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if not len(twice):
        return None
    least = twice[np.argmin(order[twice + 1])]
    return int(order[least]), int(order[least + 1])


def hash_ids(ids: np.ndarray) -> np.ndarray:
    """64-bit hashes of ids, uint64 (n,); the width of the array does not matter."""
    words = -(-ids.dtype.itemsize // _WORD)
    columns = ids.astype(f"S{words * _WORD}").view("<u8").reshape(len(ids), words)
    found = np.zeros(len(ids), dtype=np.uint64)
    for column in columns.T[::-1]:  # from the end: the zeros that pad an id leave a hash of 0 as it is
        found = (found ^ column) * _MIX
        found ^= found >> np.uint64(32)
        found *= _GAMMA
        found ^= found >> np.uint64(29)
    return found
