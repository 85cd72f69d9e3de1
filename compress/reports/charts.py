"""The charts of the reports, from plain figures: each drawn for a wide page and for a phone.

A chart takes marks: a figure with its interval, its look, and exact words for those who point at it and for
those who do not see it. Colours are those of templates/page.css: a chart follows the page by day and night.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from compress.metrics import Interval
from compress.reports import drawing
from compress.reports.document import Chart
from compress.reports.drawing import Box, Place
from compress.reports.svg import Look, colours, draw

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 560.0, 372.0
NAMES_ABOVE = 480.0  # below this width the names of rows stand above them
LEFT, RIGHT, TOP, BOTTOM = 48.0, 12.0, 28.0, 44.0  # room around axes for what is written there
TICK = 40.0  # least pixels between two sizes on the axis of bytes
BESIDE, SPREAD = 5.0, 16.0  # pixels between marks of one size, and for all of them

BASELINE, CONTROL, PAPER = Look("ink", "s"), Look("control", "D", hollow=True), Look("text", "D", hollow=True)
SERIES = (
    Look("encoder"),
    Look("second", "s"),
    Look("third", hollow=True),
    Look("encoder", "D", hollow=True),
    Look("second", hollow=True),
    Look("third", "s"),
)
"""Of what was trained; shape and filling tell them apart too, not the hue alone."""


@dataclass(frozen=True)
class Mark:
    """One figure.

    Args:
        name: its label.
        value: with its interval; both ends are the value itself where there is no interval.
        look: of the mark and its interval.
        words: exact.
        x: its place across, on charts with two axes.
        paper: what the paper has for it, and in words.
    """

    name: str
    value: Interval
    look: Look
    words: str
    x: float = 0.0
    paper: tuple[float, str] | None = None


@dataclass(frozen=True)
class Line:
    """A stepped line: between two marks a budget of bytes buys the smaller one."""

    marks: tuple[Mark, ...]
    colour: str
    to_edge: bool = False


def rows_chart(
    marks: Sequence[Mark], *, title: str, axis: str, differences: bool = False, break_at: int | None = None
) -> Chart:
    """Each mark on a line of its own, beside the paper's figure.

    Args:
        marks: from top to bottom; one or more.
        title: of the chart.
        axis: what the figures are.
        differences: figures are differences in points: there is a line at 0, and the paper's differences
            share the axis. Else the paper's figures have an axis of their own, for they may be of other data.
        break_at: a thin rule above this mark.
    """
    papers = [mark.paper[0] for mark in marks if mark.paper]
    own = [*ends_of(marks), *([0.0, *papers] if differences else [])]

    def plot(figure: Figure) -> None:
        width, height = drawing.size(figure)
        above = width < NAMES_ABOVE
        left = 6.0 if above else max(drawing.text_width(mark.name) for mark in marks) + 14
        top, right = height - (12 if differences else 34), width - 14
        split = right if differences or not papers else left + 0.6 * (right - left - 26)
        ours = panel(figure, (left, split), top, own, "" if differences else "measured")
        theirs = panel(figure, (split + 26, right), top, papers, "the paper") if split < right else ours
        if differences:
            ours.axvline(0, color=colours()["ink"], linewidth=1.2)
        for row, mark in enumerate(marks):
            y = row + 0.12 if above else row
            if row and row == break_at:
                level = drawing.pixels(ours, (0, row - 0.5))[1]
                drawing.leader(figure, (0, level), (width, level))
            place = drawing.pixels(ours, (0, row - 0.22 if above else row))
            colour = "muted" if mark.look == CONTROL else "text"
            drawing.write(figure, (0, place[1]), mark.name, colour=colour)
            drawing.bar(ours, (mark.value.low, mark.value.high), (y, y), mark.look, mark.words)
            if mark.paper:
                drawing.point(theirs, mark.paper[0], y, PAPER, mark.paper[1])
            drawing.point(ours, mark.value.value, y, mark.look, mark.words)

    def panel(figure: Figure, across: Place, top: float, values: Sequence[float], head: str) -> Axes:
        axes = drawing.frame(figure, across[0], BOTTOM, across[1], top)
        axes.set_xlim(*drawing.limits(values, 0.06, 0.1 if differences else 0.002))
        axes.set_ylim(len(marks) - 0.5, -0.5)
        axes.set_yticks([])
        axes.grid(axis="x")
        drawing.ticks(axes.xaxis, 5 if across[1] - across[0] > 180 else 3, signed=differences)
        axes.set_xlabel(axis)
        drawing.write(figure, (across[0], top + 16), head, size=12)
        return axes

    def height(width: float) -> float:
        return (12 if differences else 34) + BOTTOM + len(marks) * (38 if width < NAMES_ABOVE else 24)

    return chart_of(plot, marks, title, height(WIDE), height(NARROW))


def scatter(
    marks: Sequence[Mark],
    *,
    title: str,
    across: str,
    upwards: str,
    of_bytes: bool = False,
    band: Interval | None = None,
    lines: Sequence[Line] = (),
    labels: Sequence[tuple[str, Mark]] | None = None,
    floor: float = -math.inf,
) -> Chart:
    """One figure against another, with intervals upwards.

    Args:
        marks: one or more; later ones are drawn above earlier ones.
        title: of the chart.
        across, upwards: what the axes are.
        of_bytes: `x` are bytes, on a logarithmic axis; marks of one size stand side by side.
        band: the baseline's interval, behind everything.
        lines: stepped, behind the marks.
        labels: which marks are named and how, the most important first; None names all.
        floor: marks below this figure stand at the lower edge.
    """
    ends = [max(end, floor) for end in ends_of(marks)]

    def plot(figure: Figure) -> None:
        axes = axes_of(figure, across, upwards)
        axes.set_ylim(*drawing.limits(ends, 0.07, 0.002))
        drawing.ticks(axes.yaxis, 6)
        if of_bytes:
            _bytes_axis(axes, [mark.x for mark in marks])
        else:
            axes.set_xlim(*drawing.limits([mark.x for mark in marks], 0.07, 0.002))
            drawing.ticks(axes.xaxis, 5)
        low, (start, end) = axes.get_ylim()[0], axes.get_xlim()
        obstacles: list[Box] = []
        if band is not None:
            axes.axhspan(band.low, band.high, color=colours()["band"], linewidth=0, zorder=0.5)
            axes.axhline(band.value, color=colours()["muted"], linewidth=1, dashes=(5, 4))
            obstacles += drawing.boxes(axes, [(start, band.value), (end, band.value)])
        x = _side_by_side(axes, marks) if of_bytes else [mark.x for mark in marks]
        places = {mark.words: (x, max(mark.value.value, low)) for x, mark in zip(x, marks, strict=True)}
        for line in lines:
            path = _steps([places[mark.words] for mark in line.marks], end if line.to_edge else None)
            axes.plot(*zip(*path, strict=True), color=colours()[line.colour], linewidth=1, alpha=0.6)
            obstacles += drawing.boxes(axes, path)
        for mark in marks:
            at, bottom, top = places[mark.words][0], max(mark.value.low, low), max(mark.value.high, low)
            drawing.bar(axes, (at, at), (bottom, top), mark.look, mark.words)
            obstacles += drawing.boxes(axes, [(at, bottom), (at, top)])
        for mark in marks:
            drawing.point(axes, *places[mark.words], mark.look, mark.words)
            middle = drawing.pixels(axes, places[mark.words])
            obstacles.append(Box(middle[0] - 6, middle[1] - 6, 12, 12))
        wanted = [(mark.name, mark) for mark in marks] if labels is None else labels
        names = [(text, drawing.pixels(axes, places[m.words]), m.look.colour) for text, m in wanted]
        drawing.name_points(axes, names, obstacles)

    return chart_of(plot, marks, title, 440, 420)


def chart_of(
    plot: Callable[[Figure], None],
    marks: Sequence[Mark],
    title: str,
    wide: float,
    narrow: float,
    description: str = "",
) -> Chart:
    """A chart whose description, where none is given, are the words of its marks."""
    words = description or "; ".join(
        mark.words + (f", {mark.paper[1]}" if mark.paper else "") for mark in marks
    )
    return Chart(
        title,
        words,
        partial(draw, plot, WIDE, wide, title=title, description=words),
        partial(draw, plot, NARROW, narrow, title=title, description=words),
    )


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """The Pareto front: points (cost, quality) that no other point beats, being cheaper or equal, and better.

    Returns: indices by rising cost; along them quality rises strictly.
    """
    best, kept = -math.inf, []
    for i in sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i)):
        if points[i][1] > best:
            best = points[i][1]
            kept.append(i)
    return kept


def ends_of(marks: Sequence[Mark]) -> list[float]:
    """All figures and the ends of their intervals."""
    return [end for mark in marks for end in (mark.value.low, mark.value.value, mark.value.high)]


def axes_of(figure: Figure, across: str, upwards: str, left: float = LEFT, bottom: float = BOTTOM) -> Axes:
    """Axes that fill a figure, with what they are: below, and above on the left."""
    width, height = drawing.size(figure)
    axes = drawing.frame(figure, left, bottom, width - RIGHT, height - TOP)
    axes.grid(axis="y")
    axes.set_xlabel(across)
    drawing.write(figure, (0, height - 8), upwards, size=12)
    return axes


def _bytes_axis(axes: Axes, sizes: Sequence[float]) -> None:
    low, high = min(sizes) / 1.5, max(sizes) * 1.5
    axes.set_xscale("log", base=2)
    axes.set_xlim(low, high)
    powers = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    wanted = axes.get_window_extent().width / TICK
    drawing.log_ticks(axes.xaxis, [2**power for power in powers][:: math.ceil(len(powers) / wanted)])


def _side_by_side(axes: Axes, marks: Sequence[Mark]) -> list[float]:
    """The place of each mark across: those of one size side by side, so that intervals do not overlap."""
    low, high = axes.get_xlim()
    pixel = math.log(high / low) / axes.get_window_extent().width
    found = []
    for mark in marks:
        alike = [other.words for other in marks if other.x == mark.x]
        step = min(BESIDE, SPREAD / max(len(alike) - 1, 1))
        shift = (alike.index(mark.words) - (len(alike) - 1) / 2) * step
        found.append(mark.x * math.exp(shift * pixel))
    return found


def _steps(places: Sequence[Place], edge: float | None) -> list[Place]:
    path: list[Place] = []
    for x, y in places:
        if path:
            path.append((x, path[-1][1]))
        path.append((x, y))
    return path if edge is None else [*path, (edge, path[-1][1])]
