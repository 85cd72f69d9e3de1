"""Videos that are nearly the same, such as uploads of one clip: they belong on one side of a split."""

from __future__ import annotations

import numpy as np

from compress.datasets.table import FrameTable, Table
from compress.index import Index
from compress.index.pairs import Groups
from compress.progress import Note, Progress, Reporter, check_interrupt, silent

NEIGHBOURS = 10
EXACT_BELOW = 50_000  # an exact search of so many for as many takes minutes on two cores
_QUERIES = 4096


def group_near_duplicates(table: Table, cosine: float, report: Reporter = silent) -> dict[bytes, bytes]:
    """The videos whose features are nearly the same, in groups.

    Two videos are in one group when the cosine of their features (at frame level, of the means of their
    frames) is at least `cosine`, or when a chain of such pairs connects them. Each video is compared with
    its 10 nearest, which an exact search finds, or from 50,000 videos on an approximate one: it finds 95 % of
    them or more, so a few pairs stay apart. Videos whose features are all zero are in no group.

    Args:
        table: the videos.
        cosine: in (0, 1].
        report: gets progress, and how many there are.

    Returns:
        For each id that is in a group of two or more, the smallest id of the group.
    """
    rows = _means(table)
    present = np.flatnonzero(np.einsum("nd,nd->n", rows, rows) > 0)
    rows, ids = rows[present], table.ids[present]
    joined = Groups(len(rows))
    if len(rows) > 1:
        index = Index.build(rows, metric="cosine", recall_queries=100, exact_below=EXACT_BELOW, device="cpu")
        for start in range(0, len(rows), _QUERIES):
            found = index.search(rows[start : start + _QUERIES], k=min(NEIGHBOURS + 1, len(rows)))
            places, nearest = np.nonzero(found.scores >= cosine)
            joined.join(start + places, found.rows[places, nearest])
            report(Progress("near-duplicates", min(start + _QUERIES, len(rows)), len(rows)))
            check_interrupt()
    groups: dict[int, list[bytes]] = {}
    for number, name in zip(joined.numbers().tolist(), ids.tolist(), strict=True):
        groups.setdefault(number, []).append(name)
    several = [names for names in groups.values() if len(names) > 1]
    videos = sum(map(len, several))
    report(Note(f"{videos:,} of {len(table):,} videos are near-duplicates, in {len(several):,} groups"))
    return {name: min(names) for names in several for name in names}


def _means(table: Table) -> np.ndarray:
    """Features of each video, float32 (N, D)."""
    if not isinstance(table, FrameTable):
        return np.asarray(table.features[:], dtype=np.float32)
    bounds = zip(table.indptr[:-1], table.indptr[1:], strict=True)
    return np.stack(
        [np.asarray(table.frames[low:high]).mean(axis=0, dtype=np.float32) for low, high in bounds]
    )
