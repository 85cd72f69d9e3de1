"""The names of the points in a plot, with a thin line to the point where they stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compress.reports.plots.axis import Frame
from compress.reports.plots.labels import Anchor, Box, place_labels
from compress.reports.plots.svg import Drawing

Place = tuple[float, float]
Segment = tuple[Place, Place]
CHARACTER, LINE = 6.7, 14.0  # width and height of 11-unit monospace text, with a little air
GAP = 5.0  # least distance between two labels


@dataclass(frozen=True)
class NamedPoint:
    """A point in drawing units that wants its name; `low` and `high` are the ends of its upright interval.

    Points that are less `important` get what room is left. `style` is a CSS class of the label.
    """

    name: str
    style: str
    x: float
    y: float
    low: float
    high: float
    important: bool = True


def draw_labels(
    drawing: Drawing, points: Sequence[NamedPoint], frame: Frame, drawn: Sequence[Segment] = ()
) -> None:
    """Name each point near it, clear of all points, intervals and the segments already `drawn`."""
    area = Box(frame.left, frame.top - 8, frame.right - frame.left + 10, frame.bottom - frame.top + 6)
    obstacles = [Box(p.x - 6, p.y - 6, 12, 12) for p in points]
    obstacles += [Box(p.x - 1.5, min(p.low, p.high), 3, abs(p.low - p.high)) for p in points]
    obstacles += [_thin(*segment) for segment in drawn]
    order = sorted(points, key=lambda p: (not p.important, p.y))
    anchors = [Anchor(p.x, p.y, CHARACTER * len(p.name) + GAP, LINE) for p in order]
    for point, box in zip(order, place_labels(anchors, obstacles, area), strict=True):
        if box is None:
            continue
        _leader(drawing, point, box)
        drawing.text(box.x + GAP / 2, box.y + LINE - 3.5, point.name, f"label {point.style}")


def _leader(drawing: Drawing, point: NamedPoint, box: Box) -> None:
    x = min(max(point.x, box.x), box.x + box.width)
    y = min(max(point.y, box.y + LINE / 2), box.y + LINE / 2)
    if abs(point.x - x) + abs(point.y - y) > 18:
        drawing.line(point.x, point.y, x, y, "leader")


def _thin(a: Place, b: Place) -> Box:
    """A level or upright line as a box that labels keep off."""
    return Box(min(a[0], b[0]) - 1, min(a[1], b[1]) - 1, abs(a[0] - b[0]) + 2, abs(a[1] - b[1]) + 2)
