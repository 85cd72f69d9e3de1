"""What a search finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compress.arrays import whole_number
from compress.errors import OutOfRangeError, UsageError


@dataclass(frozen=True)
class Neighbour:
    """One video that was found: its row in the store, its id, and its score (higher is more similar)."""

    row: int
    video_id: str
    score: float


@dataclass(frozen=True, eq=False)
class Hits:
    """The neighbours of q queries, best first; `hits[0]` lists those of the first one.

    Args:
        scores: float32 (q, k), cosines or inner products.
        rows: int64 (q, k), of the store or array that was indexed.
        video_id: the id of a row.
    """

    scores: np.ndarray
    rows: np.ndarray
    video_id: Callable[[int], str]

    @cached_property
    def ids(self) -> np.ndarray:
        """Ids of the videos, str (q, k)."""
        names = [self.video_id(row) for row in self.rows.ravel().tolist()]
        return np.array(names, dtype=object).reshape(self.rows.shape)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        """The five nearest of the first three queries, and how many there are."""
        lines = [f"<Hits: {len(self.rows)} queries, {self.rows.shape[1]} nearest of each"]
        for query in range(min(3, len(self))):
            nearest = ", ".join(f"{found.video_id} {found.score:.4f}" for found in self[query][:5])
            lines.append(f"  {query}: {nearest}{', ...' if self.rows.shape[1] > 5 else ''}")
        return "\n".join([*lines, "  ..."] if len(self) > 3 else lines) + ">"

    def __getitem__(self, query: int) -> list[Neighbour]:
        """Neighbours of one query, best first; -1 is the last query.

        Raises:
            UsageError: no whole number. OutOfRangeError: there is no such query.
        """
        if isinstance(query, slice):
            raise UsageError(
                "hits are taken one query at a time", hint="hits.ids and hits.scores take slices"
            )
        query = whole_number(query, "query", least=-len(self))
        if query >= len(self):
            raise OutOfRangeError(f"there is no query {query}, these are the hits of {len(self)}")
        found = zip(self.rows[query].tolist(), self.scores[query].tolist(), strict=True)
        return [Neighbour(row, self.video_id(row), score) for row, score in found]
