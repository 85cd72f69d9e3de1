"""Which videos a calibrated codec looks at: some of every part, and never more than it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from compress.datasets.catalogue import Catalogue
from compress.datasets.record import Block
from compress.encoding.embedder import Embedded, Window
from compress.encoding.splits import sample


class Shards:
    """A source whose videos have their own numbers as features."""

    schema = SimpleNamespace(level="video")

    def __init__(self, rows_per_shard: list[int]) -> None:
        self.rows_per_shard = rows_per_shard
        self.shards = tuple(Path(str(number)) for number in range(len(rows_per_shard)))

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        number = int(shard.name)
        first = sum(self.rows_per_shard[:number])
        rows = np.arange(first, first + self.rows_per_shard[number], dtype=np.float32)[:, None]
        for start in range(0, len(rows), videos):
            block = rows[start : start + videos]
            none = np.zeros(len(block), dtype=np.int64)
            yield Block(none.astype("S1"), none, np.array([], dtype=np.int32), block, None)


class Identity:
    """Stands in for an embedder: gives the features back, seven videos a window."""

    window_size = 7

    def embed(self, windows: Iterator[Window]) -> Iterator[Embedded]:
        for window in windows:
            assert len(window) <= 7
            yield Embedded(len(window), np.asarray(window.videos))


def sampled(rows_per_shard: list[int]) -> list[int]:
    rows = np.array(rows_per_shard)
    catalogue = Catalogue(np.zeros(rows.sum(), dtype="S1"), None, rows, None)
    source: Any = Shards(rows_per_shard)
    embedder: Any = Identity()
    found = sample(100, {"train": source}, {"train": catalogue}, embedder)
    return found[:, 0].astype(int).tolist()


def test_few_videos_are_all_looked_at():
    assert sampled([30, 30, 30]) == list(range(90))


def test_small_shards_are_taken_whole_and_spread_over_the_split():
    found = sampled([25] * 40)
    assert len(found) == 100
    assert sorted({row // 25 for row in found}) == [0, 10, 20, 30]


@pytest.mark.parametrize("shards", [[10_000], [5_000, 5_000], [1, 9_999]])
def test_of_one_huge_shard_some_videos_all_over_it_are_taken(shards: list[int]):
    found = sampled(shards)
    assert 50 <= len(found) <= 210
    assert max(np.diff(found).tolist()) <= 210, "no part of the shard is left out"


def test_every_so_many_videos_are_taken_across_blocks():
    found = sampled([1_000])
    assert found == list(range(0, 1_000, 10))
