"""One plot of the trade-off: a metric against stored bytes a video, a stepped line for each family."""

from __future__ import annotations

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
from compress.reports.tradeoff.placed import Placed, Series, front_of, placed, series_of, steps
from compress.reports.tradeoff.table import TradeoffTable
from compress.reports.tradeoff.wording import NAMES
from compress.reports.wording import bracket, figure

TICK = 34.0  # least distance of two sizes that are told, in drawing units
LARGEST = 2**20  # bytes a video
WAY_BELOW = 0.6
"""Controls further below the trained points than this part of their range stand at the edge."""


def panel(table: TradeoffTable, metric: str, *, width: float, height: float, name: str) -> str:
    """The plot as an inline SVG.

    Args:
        table: what was measured.
        metric: of `NAMES`.
        width, height: of the drawing, in units of one CSS pixel at full size.
        name: makes the ids in the page unique.
    """
    frame = Frame(left=48, top=28, right=width - 12, bottom=height - 44)
    x, y = _scales(table, metric, frame)
    found = placed(table, metric, x, y, frame)
    drawing = Drawing(
        width,
        height,
        title=f"{NAMES[metric]} against bytes a video",
        description="; ".join(_described(one) for one in found),
        name=name,
    )
    _axes(drawing, frame, x, y, NAMES[metric])
    drawn = _band(drawing, frame, table.baseline.confirmation.figures.get(metric), y)
    families = series_of(found)
    lines = [(f"series {series.style}", series.points) for series in families]
    for style, joined in [*lines, ("front", found)]:
        path = steps(front_of(joined), joined, frame)
        drawing.polyline(path, style)
        drawn += pairwise(path)
    drawn += _marks(drawing, found, families)
    draw_labels(drawing, _names(families, {point.name for point in table.front(metric)}), frame, drawn)
    return drawing.render()


def _scales(table: TradeoffTable, metric: str, frame: Frame) -> tuple[Scale, Scale]:
    points = [point for point in table.points if metric in point.confirmation.figures]
    sizes = [point.bytes_per_video for point in points]
    estimates = [p.confirmation.figures[metric] for p in points]
    important = [p.confirmation.figures[metric] for p in points if p.role != "control"] or estimates
    high = max(max(e.high, e.value) for e in estimates)
    least = min(min(e.low, e.value) for e in important)
    edge = least - max(WAY_BELOW * (high - least), 0.02)
    low = max(min(min(e.low, e.value) for e in estimates), edge)
    air = max((high - low) * 0.06, 0.002)
    x = logarithmic(min(sizes) / 1.5, max(sizes) * 1.5, frame.left, frame.right)
    return x, linear(low - air, high + air, frame.bottom, frame.top)


def _described(one: Placed) -> str:
    value = f"{figure(one.estimate.value)} {bracket(one.estimate)}"
    return f"{one.point.name}: {one.point.bytes_per_video} bytes, {value}"


def _axes(drawing: Drawing, frame: Frame, x: Scale, y: Scale, title: str) -> None:
    ticks = round_ticks(*values_between(y, frame.bottom, frame.top))
    for value in ticks:
        drawing.line(frame.left, y(value), frame.right, y(value), "grid")
        drawing.text(frame.left - 7, y(value) + 4, f"{value:.{decimals(ticks)}f}", "tick", "end")
    powers = [power for power in powers_of_two(1, LARGEST) if frame.left <= x(power) <= frame.right]
    every = 1 if x(2) - x(1) >= TICK else 2
    for power in powers[::every]:
        drawing.line(x(power), frame.bottom, x(power), frame.bottom + 5, "axis")
        drawing.text(x(power), frame.bottom + 18, f"{power}", "tick", "middle")
    drawing.line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    middle = (frame.left + frame.right) / 2
    drawing.text(middle, frame.bottom + 37, "bytes a video (log scale)", "name", "middle")
    drawing.text(0, 11, title, "name")


def _band(drawing: Drawing, frame: Frame, estimate: Interval | None, y: Scale) -> list[Segment]:
    if estimate is None:
        return []
    level, top = y(estimate.value), y(estimate.high)
    drawing.rect(frame.left, top, frame.right - frame.left, y(estimate.low) - top, "band")
    drawing.line(frame.left, level, frame.right, level, "band-line")
    return [((frame.left, level), (frame.right, level))]


def _marks(drawing: Drawing, found: list[Placed], families: list[Series]) -> list[Segment]:
    """Bars of what was trained below all markers; what labels keep off."""
    drawn: list[Segment] = []
    looks = {one.point.name: series for series in families for one in series.points}
    for one in found:
        if one.point.role != "control" and one.high < one.low:
            drawing.line(one.x, one.low, one.x, one.high, f"bar {looks[one.point.name].style}")
            drawn.append(((one.x, one.low), (one.x, one.high)))
    for one in sorted(found, key=lambda one: one.point.role != "control"):
        series = looks[one.point.name]
        drawing.marker(one.x, one.y, series.shape, f"mark {series.style}", _described(one))
        drawn.append(((one.x - 5, one.y - 4), (one.x + 5, one.y - 4)))
        drawn.append(((one.x - 5, one.y + 4), (one.x + 5, one.y + 4)))
    return drawn


def _names(families: list[Series], on_front: set[str]) -> list[NamedPoint]:
    """Each family by its name at an end of its line, then the points that no other beats by theirs.

    What was trained begins further to the left than others, and what was not ends below it to the right.
    """
    found = []
    for series in families:
        end = front_of(series.points)[0 if series.learned else -1]
        found.append(NamedPoint(series.name, series.style, end.x, end.y, end.y, end.y))
    for series in families:
        found += [
            NamedPoint(_short(one), series.style, one.x, one.y, one.low, one.high, important=False)
            for one in series.points
            if one.point.name in on_front
        ]
    return found


def _short(one: Placed) -> str:
    return f"{one.point.dim} {one.point.codec}"
