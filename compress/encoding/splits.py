"""The videos of several splits as one sequence: ids, labels and rows, read in windows or sampled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from compress.datasets.catalogue import Catalogue, first_repeat
from compress.datasets.part import take
from compress.datasets.record import VIDEOS_PER_BLOCK, Block
from compress.datasets.source import Source
from compress.encoding.embedder import Embedder, Window
from compress.errors import RecordError, SchemaError
from compress.labels import Labels


def joined_ids(catalogues: Mapping[str, Catalogue]) -> np.ndarray:
    """Ids of all splits, bytes (N,); RecordError if a video is in two of them."""
    if len(catalogues) == 1:
        return next(iter(catalogues.values())).ids  # repeats within a split are found by its scan
    ids = np.concatenate([catalogue.ids for catalogue in catalogues.values()])
    if first_repeat(ids) is None:
        return ids
    ordered = np.sort(ids)
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    names = " and ".join(name for name, c in catalogues.items() if ordered[twice[0]] in c.ids)
    raise RecordError(f"video {ordered[twice[0]].decode()!r} is in {names} (and {len(twice) - 1} more)")


def joined_labels(catalogues: Mapping[str, Catalogue]) -> Labels | None:
    """Labels of all splits, empty for unlabelled ones; None if no split has any."""
    present = [catalogue.labels for catalogue in catalogues.values() if catalogue.labels is not None]
    if not present:
        return None
    classes = {labels.num_classes for labels in present}
    if len(classes) > 1:
        raise SchemaError(f"splits have different numbers of classes: {sorted(classes)}")
    num_classes = classes.pop()
    return Labels.concatenate(
        [each.labels or Labels.empty(len(each), num_classes) for each in catalogues.values()]
    )


def ranges(catalogues: Mapping[str, Catalogue]) -> dict[str, tuple[int, int]]:
    """Rows [start, stop) of each split in the store."""
    found, start = {}, 0
    for name, catalogue in catalogues.items():
        found[name] = (start, start + len(catalogue))
        start += len(catalogue)
    return found


def without_copies(
    catalogues: Mapping[str, Catalogue], ids: np.ndarray, labels: Labels | None
) -> dict[str, Catalogue]:
    """The catalogues with views of all `ids` and `labels`, so that nothing is in memory twice."""
    return {
        name: Catalogue(
            ids[start:stop],
            None if labels is None else labels.between(start, stop),
            catalogues[name].rows_per_shard,
            None,
        )
        for name, (start, stop) in ranges(catalogues).items()
    }


def sample(
    count: int, splits: Mapping[str, Source], catalogues: Mapping[str, Catalogue], embedder: Embedder
) -> np.ndarray:
    """Embeddings of about `count` videos, float32 (n, dim), on which a codec is fitted.

    They are spread evenly over as few shards of the first split as hold enough, and always the same.
    """
    name, source = next(iter(splits.items()))
    places = _places(catalogues[name].rows_per_shard, count)
    # Rounded down, so that there are `count` videos at least (if the split has so many).
    every = max(1, int(catalogues[name].rows_per_shard[places].sum()) // count)
    chosen = sampled_windows(source, places, every, embedder.window_size)
    return np.concatenate([done.window for done in embedder.embed(chosen) if done.window is not None])


def _places(rows_per_shard: np.ndarray, videos: int) -> np.ndarray:
    """The fewest evenly spread shards that hold `videos` videos or more; shards may differ in size."""
    shards = len(rows_per_shard)
    least = -(-videos * shards // max(1, int(rows_per_shard.sum())))
    for wanted in range(min(shards, least), shards):
        places = np.arange(wanted) * shards // wanted
        if rows_per_shard[places].sum() >= videos:
            return places
    return np.arange(shards)


def only_new(catalogue: Catalogue, known: np.ndarray) -> Catalogue:
    """What is left of a catalogue without the videos whose ids are `known`, bytes (n,), ascending."""
    keep = ~_among(catalogue.ids, known)
    ends = np.cumsum([0, *catalogue.rows_per_shard])
    kept = np.diff(np.cumsum([0, *keep])[ends])
    labels = None if catalogue.labels is None else catalogue.labels.take(keep)
    return Catalogue(catalogue.ids[keep], labels, kept, None)


def windows(
    splits: Mapping[str, Source],
    catalogues: Mapping[str, Catalogue],
    first: int,
    videos: int,
    known: np.ndarray | None = None,
) -> Iterator[Window]:
    """All videos from row `first` on, `videos` per window; shards before `first` are not read.

    Args:
        known: ids, bytes (n,), ascending, of videos that are left out, as `only_new` left them out of the
            catalogues; None for none.

    Raises:
        SchemaError: a shard no longer holds the videos of the catalogue.
    """
    filling = _Filling(videos)
    for block, start in _blocks(splits, catalogues, first, known):
        yield from filling.take(block, start, 1)
    yield from filling.rest()


def sampled_windows(source: Source, shards: np.ndarray, every: int, videos: int) -> Iterator[Window]:
    """Every `every`-th video of some shards, `videos` per window."""
    filling = _Filling(videos)
    for shard in shards:
        row = 0
        for block in source.read_blocks(source.shards[shard], VIDEOS_PER_BLOCK[source.schema.level]):
            yield from filling.take(block, -row % every, every)
            row += len(block)
    yield from filling.rest()


def streamed_windows(
    source: Source, videos: int, seen: Callable[[int, np.ndarray], None]
) -> Iterator[Window]:
    """All videos of a source, `videos` per window, in one pass without a catalogue.

    `seen` gets the number of the shard and the ids of each block before its videos are in a window.
    """
    filling = _Filling(videos)
    for number, shard in enumerate(source.shards):
        for block in source.read_blocks(shard, VIDEOS_PER_BLOCK[source.schema.level]):
            seen(number, np.array(block.ids.tolist(), dtype=np.bytes_))
            yield from filling.take(block, 0, 1)
    yield from filling.rest()


class _Filling:
    """Gathers videos of blocks into windows."""

    def __init__(self, videos: int) -> None:
        self._size, self._count = videos, 0
        self._features = torch.empty(0, 0)
        self._frames: list[np.ndarray] = []

    def take(self, block: Block, start: int, every: int) -> Iterator[Window]:
        """Copy every `every`-th video of a block from `start` on; yields the windows that this fills."""
        while start < len(block):
            stop = min(len(block), start + (self._size - self._count) * every)
            chosen = range(start, stop, every)
            if block.num_frames is None:
                self._take_features(block.rows[start:stop:every])
            else:
                ends = np.cumsum(block.num_frames)
                begins = ends - block.num_frames
                self._frames += [block.rows[begins[video] : ends[video]].copy() for video in chosen]
            self._count += len(chosen)
            start += len(chosen) * every
            if self._count == self._size:
                yield from self.rest()

    def rest(self) -> Iterator[Window]:
        """What has been gathered, if anything."""
        if self._count:
            yield Window(self._frames or self._features[: self._count])
        self._count, self._frames = 0, []

    def _take_features(self, rows: np.ndarray) -> None:
        if self._count == 0:
            # Allocated by torch, whose alignment is always the same, and so is the rounding of a product.
            self._features = torch.empty(self._size, rows.shape[1])
        self._features.numpy()[self._count : self._count + len(rows)] = rows


def _blocks(
    splits: Mapping[str, Source], catalogues: Mapping[str, Catalogue], first: int, known: np.ndarray | None
) -> Iterator[tuple[Block, int]]:
    """Blocks from row `first` on, and in each the first video to take."""
    for name, source in splits.items():
        ids, stop = catalogues[name].ids, 0
        for shard, rows in zip(source.shards, catalogues[name].rows_per_shard.tolist(), strict=True):
            start, stop = stop, stop + rows
            if first >= stop:
                continue
            for read in source.read_blocks(shard, VIDEOS_PER_BLOCK[source.schema.level]):
                block = read if known is None else take(read, ~_among(read.ids, known))
                if not np.array_equal(block.ids, ids[start : min(stop, start + len(block))]):
                    raise _changed(shard)
                start += len(block)
                if start > first:
                    yield block, max(0, first - (start - len(block)))
            if start != stop:
                raise _changed(shard)
        first = max(0, first - stop)


def _among(ids: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which ids are in `known`, ascending: bool (n,)."""
    at = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    return np.asarray(known[at] == ids)


def _changed(shard: Path) -> SchemaError:
    return SchemaError("changed while it was read", where=shard, hint="run the command again")
