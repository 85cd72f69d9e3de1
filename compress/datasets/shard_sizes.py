"""The size and the number of videos of each shard, as a run keeps them: a shard that is cut later is noticed.

A shard that ends early between two records looks whole: every checksum in it matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from compress.artifacts import disk

if TYPE_CHECKING:
    from compress.datasets.catalogue import Catalogue
    from compress.datasets.source import Source

_SHOWN = 3


class ShardSize(NamedTuple):
    """One file: its name without folders, its bytes, and the videos that were read from it."""

    name: str
    bytes: int
    videos: int

    def __str__(self) -> str:
        return f"{self.videos} {self.bytes} {self.name}"

    @classmethod
    def parse(cls, text: str) -> ShardSize:
        """What `str` wrote."""
        videos, size, name = text.split(" ", 2)
        return cls(name, int(size), int(videos))


def shard_sizes(source: Source, catalogue: Catalogue) -> tuple[ShardSize, ...]:
    """Of every shard of a source, in reading order; StorageError when one is gone."""
    found = []
    for path, videos in zip(source.shards, catalogue.rows_per_shard.tolist(), strict=True):
        with disk.reading(path):
            found.append(ShardSize(path.name, path.stat().st_size, videos))
    return tuple(found)


def changed_shards(before: Iterable[ShardSize], now: Sequence[ShardSize]) -> list[str]:
    """A clause for each shard of now that had another size before, at most three and the number of others.

    Shards of other names are new videos, and those of the same size are the same: how many of their videos
    are used depends on what is asked for (labelled ones, a part).
    """
    known: dict[str, list[ShardSize]] = {}
    for one in before:
        known.setdefault(one.name, []).append(one)
    changed = [
        (known[one.name][0], one)
        for one in now
        if one.name in known and one.bytes not in {old.bytes for old in known[one.name]}
    ]
    told = [
        f"{new.name} has {new.videos:,} videos in {new.bytes:,} bytes, it had {old.videos:,} in {old.bytes:,}"
        for old, new in changed[:_SHOWN]
    ]
    more = len(changed) - _SHOWN
    return told + ([f"{more} more shards have other sizes, too"] if more > 0 else [])
