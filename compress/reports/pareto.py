"""Which rows no other row beats in both bytes and quality."""

from __future__ import annotations

from collections.abc import Sequence


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points (cost, quality) that no other point beats: cheaper or equal, and better.

    Returns: indices by rising cost; along them quality rises strictly.
    """
    best, kept = float("-inf"), []
    for i in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i)):
        if points[i][1] > best:
            best = points[i][1]
            kept.append(i)
    return kept
