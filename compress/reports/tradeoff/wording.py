"""How the trade-off's figures and comparisons are written, once for all renderers."""

from __future__ import annotations

from collections.abc import Mapping

from compress.metrics import Interval
from compress.reports.tradeoff.point import Point, Rival
from compress.reports.wording import NONE, points, points_bracket

NAMES = {"gap": "GAP", "map": "MAP", "precision": "Label precision@10"}


def change(estimate: Interval | None) -> str:
    """A difference in points with its interval: +0.80 [+0.21, +1.39]."""
    return NONE if estimate is None else f"{points(estimate.value)} {points_bracket(estimate)}"


def ahead(rivals: Mapping[str, Rival], metric: str) -> str:
    """How far a point is ahead of its rival, and of which: +1.20 [+0.80, +1.60] pca-64-int8."""
    rival = rivals.get(metric)
    return NONE if rival is None else f"{change(rival.ahead)} {rival.name}"


def heads(point: Point) -> str:
    """How often a point was measured: 3 heads, on 3 encoders."""
    plural = "" if point.heads == 1 else "s"
    trained = f" on {point.encoders} encoders" if point.encoders > 1 else ""
    return f"{point.heads} head{plural}{trained}"
