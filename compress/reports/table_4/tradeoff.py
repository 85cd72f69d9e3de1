"""The trade-off plot: one metric against stored bytes a video, with intervals, band and Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from compress.metrics import Interval
from compress.reports.plots.axis import (
    Frame,
    Scale,
    decimals,
    linear,
    logarithmic,
    powers_of_two,
    round_ticks,
    values_between,
)
from compress.reports.plots.point_labels import NamedPoint, Segment, draw_labels
from compress.reports.plots.svg import Drawing
from compress.reports.row import Row
from compress.reports.table_4.table import Table4
from compress.reports.table_4.tradeoff_points import Point, estimates, front_path, points
from compress.reports.wording import bracket, figure

NAMES = {"gap": "GAP", "map": "MAP"}


def tradeoff(table: Table4, metric: str, *, width: float, height: float, name: str) -> str:
    """The plot as an inline SVG.

    Args:
        metric: "gap" or "map".
        width, height: of the drawing, in units of one CSS pixel at full size.
        name: makes the ids in the page unique.
    """
    rows = [row for _, row in table.measured]
    frame = Frame(left=48, top=28, right=width - 12, bottom=height - 44)
    x, y = _scales(rows, metric, frame)
    drawing = Drawing(
        width,
        height,
        title=f"{NAMES[metric]} against bytes a video",
        description=_described(rows, metric),
        name=name,
    )
    found = points(rows, metric, x, y)
    _axes(drawing, frame, rows, metric, x, y)
    path = front_path(found, frame)
    drawn = list(pairwise(path))
    if table.baseline is not None:
        drawn.append(_band(drawing, frame, getattr(table.baseline.figures, metric), y))
    drawing.polyline(path, "front")
    _marks(drawing, found)
    draw_labels(drawing, [_named(point) for point in found], frame, drawn)
    return drawing.render()


def _described(rows: Sequence[Row], metric: str) -> str:
    found = zip(rows, estimates(rows, metric), strict=True)
    return "; ".join(
        f"{row.row}: {row.bytes_per_video} bytes, {figure(e.value)} {bracket(e)}" for row, e in found
    )


def _scales(rows: Sequence[Row], metric: str, frame: Frame) -> tuple[Scale, Scale]:
    sizes = [row.bytes_per_video for row in rows]
    low = min(min(e.low, e.value) for e in estimates(rows, metric))
    high = max(max(e.high, e.value) for e in estimates(rows, metric))
    air = max((high - low) * 0.08, 0.002)
    x = logarithmic(min(sizes) / 1.5, max(sizes) * 1.5, frame.left, frame.right)
    return x, linear(low - air, high + air, frame.bottom, frame.top)


def _axes(drawing: Drawing, frame: Frame, rows: Sequence[Row], metric: str, x: Scale, y: Scale) -> None:
    ticks = round_ticks(*values_between(y, frame.bottom, frame.top))
    for value in ticks:
        drawing.line(frame.left, y(value), frame.right, y(value), "grid")
        drawing.text(frame.left - 7, y(value) + 4, f"{value:.{decimals(ticks)}f}", "tick", "end")
    sizes = [row.bytes_per_video for row in rows]
    for power in powers_of_two(min(sizes) / 1.5, max(sizes) * 1.5):
        drawing.line(x(power), frame.bottom, x(power), frame.bottom + 5, "axis")
        drawing.text(x(power), frame.bottom + 18, f"{power}", "tick", "middle")
    drawing.line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    middle = (frame.left + frame.right) / 2
    drawing.text(middle, frame.bottom + 37, "bytes a video (log scale)", "name", "middle")
    drawing.text(0, 11, NAMES[metric], "name")


def _band(drawing: Drawing, frame: Frame, estimate: Interval, y: Scale) -> Segment:
    level, top = y(estimate.value), y(estimate.high)
    drawing.rect(frame.left, top, frame.right - frame.left, y(estimate.low) - top, "band")
    drawing.line(frame.left, level, frame.right, level, "band-line")
    return (frame.left, level), (frame.right, level)


def _named(point: Point) -> NamedPoint:
    row = point.row
    ends = point.low, point.high
    return NamedPoint(row.row, row.role, point.x, point.y, *ends, important=row.role != "control")


def _marks(drawing: Drawing, found: Sequence[Point]) -> None:
    shapes = {"baseline": "square", "encoder": "circle", "control": "diamond"}
    below_first = sorted(found, key=lambda point: point.row.role != "control")
    for point in below_first:
        drawing.line(point.x, point.low, point.x, point.high, f"bar {point.row.role}")
    for point in below_first:
        row, value = point.row, f"{figure(point.estimate.value)} {bracket(point.estimate)}"
        hint = f"{row.title}: {row.bytes_per_video} bytes, {value}"
        drawing.marker(point.x, point.y, shapes[row.role], f"mark {row.role}", hint)
