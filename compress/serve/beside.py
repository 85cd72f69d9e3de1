"""The same query in two collections: what compression did to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from compress.collection import Match


def compared(query: Match, here: Sequence[Match], there: Sequence[Match]) -> dict[str, Any]:
    """How far two answers to one query agree.

    Args:
        query: the video that was asked for.
        here, there: both answers, best first.

    Returns:
        overlap: videos in both, as a share of the longer answer; None where both are empty.
        same: their ids, as ordered here.
        labels_here, labels_there: share of the videos found that have a label of the query; None where
            nothing was found, or the query has no label.

    Example:
        >>> cat, dog = Match("cat", 0.9, (1,), {}), Match("dog", 0.8, (2,), {})
        >>> compared(Match("tiger", 1.0, (1,), {}), [cat, dog], [cat])["overlap"]
        0.5
    """
    others = {match.video_id for match in there}
    same = [match.video_id for match in here if match.video_id in others]
    longer = max(len(here), len(there))
    return {
        "overlap": len(same) / longer if longer else None,
        "same": same,
        "labels_here": _share(query, here),
        "labels_there": _share(query, there),
    }


def _share(query: Match, found: Sequence[Match]) -> float | None:
    wanted = set(query.labels)
    if not wanted or not found:
        return None
    return sum(not wanted.isdisjoint(match.labels) for match in found) / len(found)
