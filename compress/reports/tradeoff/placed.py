"""Where the points of a plot stand, and which of them a line joins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compress.metrics import Interval
from compress.reports.plots.axis import Frame, Scale
from compress.reports.table_4 import pareto
from compress.reports.tradeoff.point import Point
from compress.reports.tradeoff.table import TradeoffTable

# Points of one size stand side by side, yet in order with other sizes.
DODGE, SPREAD = 4.0, 14.0
_ENCODERS = ("encoder", "second", "third")
_SHAPES = {"PCA": "diamond", "random projection": "circle", "original": "square"}


@dataclass(frozen=True)
class Placed:
    """A point in drawing units; `low` and `high` are the ends of its interval, all inside the frame."""

    point: Point
    estimate: Interval
    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """The points of one family by rising bytes, and how they look: a CSS class and a shape."""

    name: str
    learned: bool
    style: str
    shape: str
    points: tuple[Placed, ...]


def placed(table: TradeoffTable, metric: str, x: Scale, y: Scale, frame: Frame) -> list[Placed]:
    """Every point that has the metric; one that lies below the frame stands at its edge."""
    known = [point for point in table.points if metric in point.confirmation.figures]
    found = []
    for point in known:
        twins = [other.name for other in known if other.bytes_per_video == point.bytes_per_video]
        step = min(DODGE, SPREAD / max(len(twins) - 1, 1))
        shift = (twins.index(point.name) - (len(twins) - 1) / 2) * step
        estimate = point.confirmation.figures[metric]
        ends = (min(y(value), frame.bottom) for value in (estimate.value, estimate.low, estimate.high))
        found.append(Placed(point, estimate, x(point.bytes_per_video) + shift, *ends))
    return found


def series_of(found: Sequence[Placed]) -> list[Series]:
    """The families: controls first, so that what was trained is drawn above them."""
    names = sorted({one.point.family for one in found}, key=lambda name: (_is_learned(name, found), name))
    learned = [name for name in names if _is_learned(name, found)]
    series = []
    for name in names:
        points = tuple(one for one in found if one.point.family == name)
        if name in learned:
            style, shape = _ENCODERS[learned.index(name) % len(_ENCODERS)], "circle"
        else:
            is_baseline = any(one.point.role == "baseline" for one in points)
            style, shape = "baseline" if is_baseline else "control", _SHAPES.get(name, "square")
        series.append(Series(name, name in learned, style, shape, points))
    return series


def _is_learned(family: str, found: Sequence[Placed]) -> bool:
    return any(one.point.family == family and one.point.role == "encoder" for one in found)


def front_of(found: Sequence[Placed]) -> list[Placed]:
    """Those that no other of them beats, by rising bytes."""
    places = [(one.point.bytes_per_video, one.estimate.value) for one in found]
    return [found[i] for i in pareto.front(places)]


def steps(front: Sequence[Placed], found: Sequence[Placed], frame: Frame) -> list[tuple[float, float]]:
    """Steps, not slopes: between two points a budget of bytes buys the smaller one."""
    path: list[tuple[float, float]] = []
    for one in front:
        if path:
            path.append((one.x, path[-1][1]))
        path.append((one.x, one.y))
    last = max(one.x for one in found)
    return [*path, (min(max(last, path[-1][0] + 1), frame.right), path[-1][1])]
