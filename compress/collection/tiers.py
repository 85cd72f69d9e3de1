"""When segments are merged: few of each size, so that additions stay cheap and searches visit few segments.

A segment of at most `SMALLEST` living videos is of tier 0; each further tier is `GROWTH` times as large.
Where a write leaves more than `MOST_ALIKE` segments of one tier, all of these become one. A segment of which
more than `MOST_GONE` is deleted is written anew without those rows. Either is part of the same commit. So a
video is written again about once for each tier that it climbs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

SMALLEST, GROWTH, MOST_ALIKE, MOST_GONE = 4096, 8, 8, 0.2


def tier(living: int) -> int:
    """The tier of a segment with so many living videos."""
    return 0 if living <= SMALLEST else math.ceil(math.log(living / SMALLEST, GROWTH) - 1e-9)


def due(sizes: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Which segments are written anew, in groups that each become one.

    Args:
        sizes: (videos, living videos) of each segment, living >= 1.

    Example:
        >>> due([(1000, 1000)] * 9 + [(900_000, 900_000), (100_000, 70_000)])
        [[0, 1, 2, 3, 4, 5, 6, 7, 8], [10]]
    """
    tiers = [tier(living) for _, living in sizes]
    crowded = {one for one, count in Counter(tiers).items() if count > MOST_ALIKE}
    groups = [[place for place, own in enumerate(tiers) if own == one] for one in sorted(crowded)]
    worn = [
        [place]
        for place, (videos, living) in enumerate(sizes)
        if tiers[place] not in crowded and videos - living > MOST_GONE * videos
    ]
    return [*groups, *worn]
