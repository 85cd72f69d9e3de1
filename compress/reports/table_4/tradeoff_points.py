"""Where the rows of the trade-off plot stand, and the line along the best of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compress.metrics import Interval
from compress.reports.plots.axis import Frame, Scale
from compress.reports.row import Row
from compress.reports.table_4 import pareto

# Points of one size stand side by side, yet in order with other sizes.
DODGE, SPREAD = 4.0, 12.0


@dataclass(frozen=True)
class Point:
    """One row on the plot, in drawing units; `low` and `high` are the ends of its interval."""

    row: Row
    estimate: Interval
    x: float
    y: float
    low: float
    high: float


def estimates(rows: Sequence[Row], metric: str) -> list[Interval]:
    """The figure of each row for one metric ("gap", "map", ...)."""
    return [getattr(row.figures, metric) for row in rows]


def points(rows: Sequence[Row], metric: str, x: Scale, y: Scale) -> list[Point]:
    """Each row's place; rows of one size stand side by side, so that their intervals can be told apart."""
    found = []
    for row, estimate in zip(rows, estimates(rows, metric), strict=True):
        twins = [other.row for other in rows if other.bytes_per_video == row.bytes_per_video]
        shift = (twins.index(row.row) - (len(twins) - 1) / 2) * min(DODGE, SPREAD / max(len(twins) - 1, 1))
        ends = y(estimate.value), y(estimate.low), y(estimate.high)
        found.append(Point(row, estimate, x(row.bytes_per_video) + shift, *ends))
    return found


def front_path(found: Sequence[Point], frame: Frame) -> list[tuple[float, float]]:
    """Steps, not slopes: between two rows a byte budget buys the smaller one."""
    path: list[tuple[float, float]] = []
    for i in pareto.front([(p.row.bytes_per_video, p.estimate.value) for p in found]):
        if path:
            path.append((found[i].x, path[-1][1]))
        path.append((found[i].x, found[i].y))
    return [*path, (frame.right, path[-1][1])]
