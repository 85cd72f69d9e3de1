"""Video id -> row: by looking at all ids, and from the fourth time on by bisection in the sorted ones.

Sorted ids take 8 bytes a video and a copy of the ids, where a dict takes a hundred, but a second a million.
"""

from __future__ import annotations

import difflib
from functools import cached_property

import numpy as np

# Up to here every id is compared for a "did you mean"; beyond, only those next to it in the order.
_COMPARE_ALL = 5000
_NEIGHBOURS = 200
_LOOKS_AT_ALL = 3


class IdLookup:
    """Finds the row of a video id.

    Args:
        ids: S (N,), unique.
    """

    def __init__(self, ids: np.ndarray) -> None:
        self._ids = ids
        self._looks = 0

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self._ids, kind="stable")

    @cached_property
    def _sorted(self) -> np.ndarray:
        return self._ids[self._order]

    def row(self, video_id: bytes) -> int | None:
        """The row of `video_id`, or None."""
        self._looks += 1
        if self._looks <= _LOOKS_AT_ALL:
            rows = np.flatnonzero(self._ids == np.bytes_(video_id))
            return int(rows[0]) if len(rows) and bytes(self._ids[rows[0]]) == video_id else None
        position = self._position(video_id)
        # numpy drops NULs at the end of a bytes string, so b"a\\0" must not find b"a": compare real bytes.
        if position < len(self._ids) and bytes(self._sorted[position]) == video_id:
            return int(self._order[position])
        return None

    def close(self, video_id: bytes) -> list[str]:
        """Up to three ids that look like `video_id`."""
        candidates = self._sorted
        if len(candidates) > _COMPARE_ALL:
            position = self._position(video_id)
            candidates = candidates[max(0, position - _NEIGHBOURS) : position + _NEIGHBOURS]
        names = [candidate.decode(errors="replace") for candidate in candidates]
        return difflib.get_close_matches(video_id.decode(errors="replace"), names, n=3)

    def _position(self, video_id: bytes) -> int:
        return int(np.searchsorted(self._sorted, np.bytes_(video_id)))
