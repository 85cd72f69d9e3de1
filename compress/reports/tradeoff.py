"""The trade-off plot: one metric against stored bytes a video, with intervals, the baseline's band and the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from compress.reports import pareto
from compress.reports.axis import Frame, Scale, linear, logarithmic, powers_of_two, round_ticks
from compress.reports.labels import Anchor, Box, place_labels
from compress.reports.row import Estimate, Row
from compress.reports.svg import Drawing
from compress.reports.table4 import Table4
from compress.reports.wording import bracket, figure

NAMES = {"gap": "GAP", "map": "MAP"}
CHARACTER, LINE = 6.7, 14.0  # width and height of 11-unit monospace text, with a little air
DODGE, SPREAD = 4.0, 12.0  # points of one size stand side by side, but stay in order with those of other sizes


@dataclass(frozen=True)
class Point:
    """One row on the plot, in drawing units; `low` and `high` are the ends of its interval."""

    row: Row
    estimate: Estimate
    x: float
    y: float
    low: float
    high: float


def tradeoff(table: Table4, metric: str, *, width: float, height: float, name: str) -> str:
    """The plot as an inline SVG.

    Args:
        metric: "gap" or "map".
        width, height: of the drawing, in units of one CSS pixel at full size.
        name: makes the ids in the page unique.
    """
    rows = [row for _, row in table.measured]
    frame = Frame(left=48, top=14, right=width - 12, bottom=height - 44)
    x, y = _scales(rows, metric, frame)
    drawing = Drawing(width, height, title=f"{NAMES[metric]} against bytes a video", description=_described(rows, metric), name=name)
    points = _points(rows, metric, x, y)
    _axes(drawing, frame, rows, metric, x, y)
    if table.baseline is not None:
        _band(drawing, frame, getattr(table.baseline.figures, metric), y)
    steps = _front(points, frame)
    drawing.polyline(steps, "front")
    _marks(drawing, points)
    lines = [_thin(a, b) for a, b in pairwise(steps)]
    if table.baseline is not None:
        level = y(getattr(table.baseline.figures, metric).value)
        lines.append(_thin((frame.left, level), (frame.right, level)))
    _labels(drawing, points, frame, lines)
    return drawing.render()


def _values(rows: Sequence[Row], metric: str) -> list[Estimate]:
    return [getattr(row.figures, metric) for row in rows]


def _described(rows: Sequence[Row], metric: str) -> str:
    found = zip(rows, _values(rows, metric), strict=True)
    return "; ".join(f"{row.row}: {row.bytes_per_video} bytes, {figure(e.value)} {bracket(e)}" for row, e in found)


def _scales(rows: Sequence[Row], metric: str, frame: Frame) -> tuple[Scale, Scale]:
    sizes = [row.bytes_per_video for row in rows]
    low = min(min(e.low, e.value) for e in _values(rows, metric))
    high = max(max(e.high, e.value) for e in _values(rows, metric))
    air = max((high - low) * 0.08, 0.002)
    x = logarithmic(min(sizes) / 1.5, max(sizes) * 1.5, frame.left, frame.right)
    return x, linear(low - air, high + air, frame.bottom, frame.top)


def _axes(drawing: Drawing, frame: Frame, rows: Sequence[Row], metric: str, x: Scale, y: Scale) -> None:
    low, high = _ends(y, frame)
    for value in round_ticks(low, high):
        drawing.line(frame.left, y(value), frame.right, y(value), "grid")
        drawing.text(frame.left - 7, y(value) + 4, f"{value:.3g}" if high - low >= 0.02 else f"{value:.4f}", "tick", "end")
    sizes = [row.bytes_per_video for row in rows]
    for power in powers_of_two(min(sizes) / 1.5, max(sizes) * 1.5):
        drawing.line(x(power), frame.bottom, x(power), frame.bottom + 5, "axis")
        drawing.text(x(power), frame.bottom + 18, f"{power}", "tick", "middle")
    drawing.line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    drawing.text((frame.left + frame.right) / 2, frame.bottom + 37, "bytes a video (log scale)", "name", "middle")
    drawing.vertical_text(11, (frame.top + frame.bottom) / 2, NAMES[metric], "name")


def _ends(y: Scale, frame: Frame) -> tuple[float, float]:
    """The values at the lower and upper edge: the scale is linear, so two of its values give its inverse."""
    zero, one = y(0.0), y(1.0)
    return (frame.bottom - zero) / (one - zero), (frame.top - zero) / (one - zero)


def _band(drawing: Drawing, frame: Frame, estimate: Estimate, y: Scale) -> None:
    top, height = y(estimate.high), y(estimate.low) - y(estimate.high)
    drawing.rect(frame.left, top, frame.right - frame.left, height, "band")
    drawing.line(frame.left, y(estimate.value), frame.right, y(estimate.value), "band-line")


def _points(rows: Sequence[Row], metric: str, x: Scale, y: Scale) -> list[Point]:
    points = []
    for row, estimate in zip(rows, _values(rows, metric), strict=True):
        twins = [other.row for other in rows if other.bytes_per_video == row.bytes_per_video]
        shift = (twins.index(row.row) - (len(twins) - 1) / 2) * min(DODGE, SPREAD / max(len(twins) - 1, 1))
        ends = y(estimate.value), y(estimate.low), y(estimate.high)
        points.append(Point(row, estimate, x(row.bytes_per_video) + shift, *ends))
    return points


def _front(points: Sequence[Point], frame: Frame) -> list[tuple[float, float]]:
    """Steps, not slopes: between two rows a byte budget buys the smaller one."""
    path: list[tuple[float, float]] = []
    for i in pareto.front([(p.row.bytes_per_video, p.estimate.value) for p in points]):
        if path:
            path.append((points[i].x, path[-1][1]))
        path.append((points[i].x, points[i].y))
    return [*path, (frame.right, path[-1][1])]


def _thin(a: tuple[float, float], b: tuple[float, float]) -> Box:
    """A level or upright line as a box that labels keep off."""
    return Box(min(a[0], b[0]) - 1, min(a[1], b[1]) - 1, abs(a[0] - b[0]) + 2, abs(a[1] - b[1]) + 2)


def _marks(drawing: Drawing, points: Sequence[Point]) -> None:
    for point in points:
        drawing.line(point.x, point.low, point.x, point.high, f"bar {point.row.role}")
    shapes = {"baseline": "square", "encoder": "circle", "control": "diamond"}
    for point in points:
        row = point.row
        hint = f"{row.title}: {row.bytes_per_video} bytes, {figure(point.estimate.value)} {bracket(point.estimate)}"
        drawing.marker(point.x, point.y, shapes[row.role], f"mark {row.role}", hint)


def _labels(drawing: Drawing, points: Sequence[Point], frame: Frame, lines: Sequence[Box]) -> None:
    area = Box(frame.left, frame.top - 8, frame.right - frame.left + 10, frame.bottom - frame.top + 6)
    obstacles = [Box(p.x - 6, p.y - 6, 12, 12) for p in points]
    obstacles += [Box(p.x - 1.5, min(p.low, p.high), 3, abs(p.low - p.high)) for p in points]
    obstacles += lines
    order = sorted(points, key=lambda p: (p.row.role == "control", p.y))
    anchors = [Anchor(p.x, p.y, CHARACTER * len(p.row.row), LINE) for p in order]
    for point, box in zip(order, place_labels(anchors, obstacles, area), strict=True):
        if box is None:
            continue
        _leader(drawing, point, box)
        drawing.text(box.x + 1, box.y + LINE - 3.5, point.row.row, f"label {point.row.role}")


def _leader(drawing: Drawing, point: Point, box: Box) -> None:
    x = min(max(point.x, box.x), box.x + box.width)
    y = min(max(point.y, box.y + LINE / 2), box.y + LINE / 2)
    if abs(point.x - x) + abs(point.y - y) > 18:
        drawing.line(point.x, point.y, x, y, "leader")
