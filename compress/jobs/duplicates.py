"""`compress duplicates`: the videos of a store that are nearly the same, in groups."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.errors import UsageError
from compress.index.pairs import Groups, Pairs, pairs_above
from compress.index.rows import select
from compress.jobs.names import find_store
from compress.jobs.table_file import Kind, Row, check_table_file, write_table
from compress.progress import Reporter, silent
from compress.store.reader import Store, open_store
from compress.workspace import Workspace

_GROUPS: dict[str, Kind] = {
    "video_id": "text",
    "group": "text",
    "group_size": "whole",
    "nearest": "text",
    "cosine": "real",
}
_PAIRS: dict[str, Kind] = {"video_id": "text", "other": "text", "cosine": "real"}
_ROWS_AT_ONCE = 65_536
_SHOWN_IDS = 5


@dataclass(frozen=True)
class Group:
    """Videos that a chain of pairs connects.

    Args:
        name: the smallest id among them.
        size: how many they are.
        ids: some of them, in the order of the store.
        cosine: of the nearest two.
    """

    name: str
    size: int
    ids: tuple[str, ...]
    cosine: float


@dataclass(frozen=True)
class Duplicates:
    """What was found.

    Args:
        store: its name. threshold: of the cosine.
        videos: that were compared, each with each.
        pairs: at or above the threshold.
        groups: of two or more videos. grouped: videos in them.
        redundant: videos that could go if one of each group stays.
        first: the largest groups.
        output: the file that was written, or None.
        seconds: of the work.
    """

    store: str
    threshold: float
    videos: int
    pairs: int
    groups: int
    grouped: int
    redundant: int
    first: tuple[Group, ...]
    output: Path | None
    seconds: float


def find_duplicates(
    workspace: Workspace,
    *,
    dim: int | None = None,
    name: str | None = None,
    threshold: float = 0.95,
    split: str | None = None,
    output: Path | None = None,
    pairs: bool = False,
    show: int = 10,
    replace: bool = False,
    report: Reporter = silent,
) -> Duplicates:
    """Compare every video of a store with every other, and group those that are nearly the same.

    The comparison is exact and takes time in the square of the number of videos, and memory for a few blocks.

    Args:
        workspace: has the store, unless `name` is a path.
        dim, name: which store; its decoded embeddings are compared.
        threshold: of the cosine, in (0, 1].
        split: only the videos of one split; None for all.
        output: .parquet, .csv or .jsonl: a row for each video in a group (video_id, group, group_size, the
            nearest other video and its cosine), the groups in the order of the store.
        pairs: write a row for each pair (video_id, other, cosine) instead.
        show: how many of the largest groups are in the result.
        replace: write over an `output` that is there.
        report: gets progress.

    Raises:
        NotFoundError: no such store or split.
        UsageError: `output` is there, or its suffix names no form; `pairs` without it.
    """
    started = time.monotonic()
    if pairs and output is None:
        raise UsageError("pairs are written to a file", where="--pairs", hint="give --output FILE.parquet")
    if output is not None:
        check_table_file(output, replace)
    found = find_store(workspace, dim, name)
    store = open_store(found.path)
    rows = select(store, split, "cosine")
    seen = _Seen(store, rows.store_rows.start, len(rows))
    compared = seen.each(pairs_above(rows, threshold, report))
    if output is not None and pairs:
        write_table(output, _PAIRS, compared)
    else:
        for _ in compared:
            pass
    members = seen.members()
    if output is not None and not pairs:
        write_table(output, _GROUPS, seen.grouped(members))
    largest = sorted(members, key=len, reverse=True)[:show]
    return Duplicates(
        store=found.name,
        threshold=threshold,
        videos=len(rows),
        pairs=seen.pairs,
        groups=len(members),
        grouped=sum(map(len, members)),
        redundant=sum(len(group) - 1 for group in members),
        first=tuple(map(seen.group, largest)),
        output=output,
        seconds=time.monotonic() - started,
    )


class _Seen:
    """The pairs that came by: how many, their groups, and the nearest other video of each."""

    def __init__(self, store: Store, start: int, count: int) -> None:
        self.pairs = 0
        self._ids = store.id_bytes[start : start + count]
        self._groups = Groups(count)
        self._nearest = np.full(count, -1, np.int64)
        self._cosines = np.zeros(count)

    def each(self, pairs: Iterator[Pairs]) -> Iterator[list[Row]]:
        """Takes note of all pairs, and gives them as rows of a table."""
        for some in pairs:
            self.pairs += len(some.first)
            self._groups.join(some.first, some.second)
            self._note(some.first, some.second, some.cosines)
            self._note(some.second, some.first, some.cosines)
            columns = self._named(some.first), self._named(some.second), some.cosines.tolist()
            yield list(zip(*columns, strict=True))

    def members(self) -> list[np.ndarray]:
        """The rows of each group of two or more."""
        numbers = self._groups.numbers()
        sizes = np.bincount(numbers, minlength=1)
        order = np.argsort(numbers, kind="stable")
        parts = np.split(order, np.cumsum(sizes)[:-1]) if len(numbers) else []
        return [part for part in parts if len(part) > 1]

    def grouped(self, members: list[np.ndarray]) -> Iterator[list[Row]]:
        """The rows of the table of groups."""
        block: list[Row] = []
        for rows in members:
            ids, group = self._named(rows), self._name(rows)
            nearest, cosines = self._named(self._nearest[rows]), self._cosines[rows].tolist()
            for video_id, other, cosine in zip(ids, nearest, cosines, strict=True):
                block.append((video_id, group, len(rows), other, cosine))
            if len(block) >= _ROWS_AT_ONCE:
                yield block
                block = []
        yield block

    def group(self, rows: np.ndarray) -> Group:
        """A group as it is told."""
        shown = tuple(self._named(rows[:_SHOWN_IDS]))
        return Group(self._name(rows), len(rows), shown, float(self._cosines[rows].max()))

    def _note(self, rows: np.ndarray, others: np.ndarray, cosines: np.ndarray) -> None:
        order = np.argsort(cosines, kind="stable")  # of several values for one place, the last one stays
        rows, others, cosines = rows[order], others[order], cosines[order]
        better = cosines > self._cosines[rows]
        self._cosines[rows[better]] = cosines[better]
        self._nearest[rows[better]] = others[better]

    def _name(self, rows: np.ndarray) -> str:
        return min(self._ids[rows].tolist()).decode("utf-8", "backslashreplace")

    def _named(self, rows: np.ndarray) -> list[str]:
        return [video.decode("utf-8", "backslashreplace") for video in self._ids[rows].tolist()]
