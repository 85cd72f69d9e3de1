"""What charts are made of: axes, marks with their intervals, and labels that touch nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from compress.reports.rounding import MINUS
from compress.reports.svg import HINT, Look, colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Place = tuple[float, float]
SMALL = 11.0  # font size of labels


def frame(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Empty axes at a place in pixels; y grows upwards."""
    width, height = size(figure)
    axes = figure.add_axes((left / width, bottom / height, (right - left) / width, (top - bottom) / height))
    axes.patch.set_visible(False)
    return axes


def size(figure: Figure) -> Place:
    """Width and height in pixels."""
    width, height = figure.get_size_inches() * 72
    return float(width), float(height)


def write(figure: Figure, place: Place, text: str, *, size: float = SMALL, colour: str = "text") -> None:
    """A text that begins at a place in pixels, its middle line at this height."""
    from matplotlib.transforms import IdentityTransform

    style = {"fontsize": size, "color": colours()[colour], "va": "center"}
    figure.text(*place, text, style, transform=IdentityTransform())


def text_width(text: str, size: float = SMALL) -> float:
    """Pixels that a text takes in a wide sans-serif font; a browser's own is rarely wider."""
    from matplotlib.textpath import TextPath

    return float(TextPath((0, 0), text, size=size).vertices[:, 0].max()) if text.strip() else 0.0


def limits(values: Sequence[float], air: float, least: float) -> Place:
    """The ends of an axis: the range of some values and some air, at least `least`, on both sides."""
    around = max(air * (max(values) - min(values)), least)
    return min(values) - around, max(values) + around


def ticks(axis: Axis, wanted: int, *, signed: bool = False) -> None:
    """About so many round numbers, in as few decimals as tell them apart; `signed`: with plus and minus."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(wanted, steps=[1, 2, 5, 10]))
    if signed:
        axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:+g}".replace("-", MINUS) if v else "0"))


def log_ticks(axis: Axis, values: Sequence[int]) -> None:
    """These numbers and no others, written out."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis.set_major_locator(FixedLocator(list(values)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def bar(axes: Axes, x: Place, y: Place, look: Look, words: str) -> None:
    """An interval between two places; nothing where they are one."""
    if x[0] == x[1] and y[0] == y[1]:
        return
    colour = colours()[look.colour]
    axes.plot(x, y, color=colour, linewidth=1.6, solid_capstyle="butt", gid=HINT + words, clip_on=False)


def point(axes: Axes, x: float, y: float, look: Look, words: str) -> None:
    """A marker about 9 pixels wide, above all else."""
    colour, ground = colours()[look.colour], colours()["page"]
    inside, edge = (ground, colour) if look.hollow else (colour, ground)
    across = {"o": 9.0, "s": 8.4, "D": 7.4}[look.shape]
    axes.plot(
        [x],
        [y],
        marker=look.shape,
        markersize=across,
        markerfacecolor=inside,
        markeredgecolor=edge,
        markeredgewidth=1.4,
        linestyle="none",
        gid=HINT + words,
        clip_on=False,
        zorder=4,
    )


def leader(figure: Figure, start: Place, end: Place) -> None:
    """A hair line between two places of the figure."""
    from matplotlib.lines import Line2D

    x, y = zip(start, end, strict=True)
    figure.add_artist(Line2D(x, y, color=colours()["muted"], linewidth=0.6, transform=None))


def pixels(axes: Axes, place: Place) -> Place:
    """Where a place of the data is on the figure; the limits of the axes are set before."""
    x, y = axes.transData.transform(place)
    return float(x), float(y)


DISTANCES = (9, 15, 22, 30, 40, 52, 66, 82, 100, 120, 145, 175, 210)
ANGLES = (0, 180, 25, -25, 155, -155, 50, -50, 130, -130, 90, -90, 75, -75, 105, -105)


@dataclass(frozen=True)
class Box:
    """An upright rectangle by its lower left corner."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share area."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height

    def within(self, area: Box) -> bool:
        """Whether all of it lies in `area`."""
        across = area.x <= self.x and self.x + self.width <= area.x + area.width
        return across and area.y <= self.y and self.y + self.height <= area.y + area.height


def place_labels(
    points: Sequence[Place], sizes: Sequence[Place], obstacles: Sequence[Box], area: Box
) -> list[Box | None]:
    """The nearest free box inside `area` for the label of each point; earlier points choose first.

    Returns: one box per point; None where no place is free, and the point stays unlabelled.
    """
    taken = list(obstacles)
    placed: list[Box | None] = []
    for point, size in zip(points, sizes, strict=True):
        tried = _around(point, size)
        box = next((box for box in tried if box.within(area) and not any(map(box.overlaps, taken))), None)
        placed.append(box)
        taken += [box] if box else []
    return placed


def _around(point: Place, size: Place) -> Iterator[Box]:
    (x, y), (width, height) = point, size
    for distance in DISTANCES:
        for angle in ANGLES:
            dx, dy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            # The side that faces the point touches the circle; straight above and below the label is centred.
            left = -width / 2 if abs(dx) < 0.1 else (0 if dx > 0 else -width)
            yield Box(x + dx * distance + left, y + dy * distance - height / 2, width, height)


def boxes(axes: Axes, path: Sequence[Place]) -> list[Box]:
    """Level and upright lines between places of the data as boxes that labels keep off."""
    places = [pixels(axes, place) for place in path]
    return [
        Box(min(a[0], b[0]) - 1, min(a[1], b[1]) - 1, abs(a[0] - b[0]) + 2, abs(a[1] - b[1]) + 2)
        for a, b in pairwise(places)
    ]


def name_points(axes: Axes, names: Sequence[tuple[str, Place, str]], obstacles: Sequence[Box]) -> None:
    """Name places of the figure, the most important first, with a thin line to the place where it is far."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    inside = axes.get_window_extent()
    area = Box(inside.x0, inside.y0 + 2, inside.width + 10, inside.height + 6)
    sizes = [(text_width(name) + 5, 14.0) for name, *_ in names]
    placed = place_labels([place for _, place, _ in names], sizes, obstacles, area)
    for (name, (x, y), colour), box in zip(names, placed, strict=True):
        if box is None:
            continue
        middle = box.y + box.height / 2
        near = min(max(x, box.x), box.x + box.width)
        if abs(x - near) + abs(y - middle) > 18:
            leader(figure, (x, y), (near, middle))
        write(figure, (box.x + 2.5, middle), name, colour=colour)
