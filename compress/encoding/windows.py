"""Consecutive videos in memory, cut into batches; which ones belong together depends on their number alone.

Videos of a batch with frames are padded to the longest of them. In reading order that makes a third more
work; sorted by length within windows of `BATCHES_A_WINDOW` batches, a twentieth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from compress.datasets.blocks import VIDEOS_A_BLOCK, Block
from compress.datasets.catalogue import Catalogue
from compress.datasets.schema import Level
from compress.datasets.source import Source
from compress.errors import SchemaError
from encoders import Inputs

BATCHES_A_WINDOW: dict[Level, int] = {"video": 1, "frame": 8}


@dataclass(frozen=True, eq=False)
class Window:
    """Some videos, copied.

    Args:
        videos: float32 (n, D) at video level; at frame level n arrays uint8 (T, D).
    """

    videos: Tensor | list[np.ndarray]

    def __len__(self) -> int:
        return len(self.videos)

    def batches(self, size: int) -> list[np.ndarray]:
        """Every video once: int64 (b,) each, b = size but for the last; by length where there are frames."""
        order = np.arange(len(self))
        if not isinstance(self.videos, Tensor):
            order = np.argsort([len(video) for video in self.videos], kind="stable")
        return [order[start : start + size] for start in range(0, len(self), size)]

    def inputs(self, chosen: np.ndarray, device: torch.device) -> Inputs:
        """What a model reads, on `device`: of a GPU's a copy that may still be under way."""
        if isinstance(self.videos, Tensor):
            # Of one batch alone: it is taken as it is, without a copy.
            rows = self.videos if len(chosen) == len(self) else self.videos[torch.from_numpy(chosen)]
            return _shipped(rows, device)
        some = [self.videos[place] for place in chosen]
        lengths = [len(video) for video in some]
        padded = torch.empty(len(some), max(lengths), some[0].shape[1], dtype=torch.uint8)
        for row, video in zip(padded.numpy(), some, strict=True):
            row[: len(video)], row[len(video) :] = video, 0
        return _shipped(padded, device), _shipped(torch.tensor(lengths), device)


def _shipped(tensor: Tensor, device: torch.device) -> Tensor:
    # From pinned memory a GPU fetches it by itself.
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)


def windows(
    splits: Mapping[str, Source], catalogues: Mapping[str, Catalogue], first: int, videos: int
) -> Iterator[Window]:
    """All videos from row `first` on, `videos` a window; the last one may have fewer.

    Shards that lie wholly before `first` are not read.

    Raises:
        SchemaError: a shard no longer holds the videos of the catalogue.
        And what reading a source raises.
    """
    filling = _Filling(videos)
    for block, start in _blocks(splits, catalogues, first):
        yield from filling.take(block, start, 1)
    yield from filling.rest()


def sampled_windows(source: Source, shards: np.ndarray, every: int, videos: int) -> Iterator[Window]:
    """Every `every`-th video of some shards, `videos` a window."""
    filling = _Filling(videos)
    for shard in shards:
        row = 0
        for block in source.read_blocks(source.shards[shard], VIDEOS_A_BLOCK[source.schema.level]):
            yield from filling.take(block, -row % every, every)
            row += len(block)
    yield from filling.rest()


class _Filling:
    """Gathers videos of blocks into windows."""

    def __init__(self, videos: int) -> None:
        self._size, self._count = videos, 0
        self._features = torch.empty(0, 0)
        self._frames: list[np.ndarray] = []

    def take(self, block: Block, start: int, every: int) -> Iterator[Window]:
        """Copy every `every`-th video of a block, from the `start`-th on; the windows that this fills."""
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
            # By torch: its memory is aligned alike every time, and with it the rounding of a product.
            self._features = torch.empty(self._size, rows.shape[1])
        self._features.numpy()[self._count : self._count + len(rows)] = rows


def _blocks(
    splits: Mapping[str, Source], catalogues: Mapping[str, Catalogue], first: int
) -> Iterator[tuple[Block, int]]:
    """Blocks from row `first` on, with the video that each begins to count from."""
    for name, source in splits.items():
        ids, stop = catalogues[name].ids, 0
        for shard, rows in zip(source.shards, catalogues[name].rows_per_shard.tolist(), strict=True):
            start, stop = stop, stop + rows
            if first >= stop:
                continue
            for block in source.read_blocks(shard, VIDEOS_A_BLOCK[source.schema.level]):
                if not np.array_equal(block.ids, ids[start : min(stop, start + len(block))]):
                    raise _changed(shard)
                start += len(block)
                if start > first:
                    yield block, max(0, first - (start - len(block)))
            if start != stop:
                raise _changed(shard)
        first = max(0, first - stop)


def _changed(shard: Path) -> SchemaError:
    return SchemaError("changed while it was read", where=shard, hint="run the command again")
