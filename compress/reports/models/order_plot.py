"""Does the order of the models agree? The measured GAP of each printed row against the paper's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compress.errors import NotFoundError
from compress.metrics import Interval
from compress.reports.models.table import ModelTable
from compress.reports.plots.axis import Frame, Scale, decimals, linear, round_ticks, values_between
from compress.reports.plots.point_labels import NamedPoint, draw_labels
from compress.reports.plots.svg import Drawing
from compress.reports.wording import bracket, figure

LEAST = 3  # fewer rows have hardly an order
TITLE = "Measured GAP against the paper's GAP of the same row"


@dataclass(frozen=True)
class PrintedRow:
    """A printed row that was measured: the paper's GAP and ours."""

    run: str
    title: str
    paper: float
    ours: Interval


def printed_rows(table: ModelTable) -> list[PrintedRow]:
    """The measured rows that the paper has too, in the order of the table."""
    return [
        PrintedRow(line.run, line.title, line.published.gap, model.figures.gap)
        for line, model in table.measured
        if line.published
    ]


def order_plot(table: ModelTable, *, width: float, height: float, name: str) -> str:
    """The plot as an inline SVG.

    Args:
        table: of at least `LEAST` measured printed rows.
        width, height: of the drawing, in units of one CSS pixel at full size.
        name: makes the ids in the page unique.

    Raises:
        NotFoundError: fewer rows were measured.
    """
    rows = printed_rows(table)
    if len(rows) < LEAST:
        raise NotFoundError(f"an order needs {LEAST} measured rows, there are {len(rows)}")
    frame = Frame(left=48, top=28, right=width - 12, bottom=height - 44)
    x = _scale([row.paper for row in rows], frame.left, frame.right)
    y = _scale([end for row in rows for end in (row.ours.low, row.ours.high)], frame.bottom, frame.top)
    drawing = Drawing(width, height, title=TITLE, description=_described(rows), name=name)
    _axes(drawing, frame, x, y)
    for row in rows:
        drawing.line(x(row.paper), y(row.ours.low), x(row.paper), y(row.ours.high), "bar encoder")
    for row in rows:
        hint = f"{row.title}: {figure(row.ours.value)} {bracket(row.ours)}, the paper {figure(row.paper)}"
        drawing.marker(x(row.paper), y(row.ours.value), "circle", "mark encoder", hint)
    draw_labels(drawing, [_named(row, x, y) for row in rows], frame)
    return drawing.render()


def _described(rows: Sequence[PrintedRow]) -> str:
    return "; ".join(
        f"{row.run}: the paper {figure(row.paper)}, measured {figure(row.ours.value)} {bracket(row.ours)}"
        for row in rows
    )


def _scale(values: Sequence[float], start: float, end: float) -> Scale:
    air = max(0.07 * (max(values) - min(values)), 0.002)
    return linear(min(values) - air, max(values) + air, start, end)


def _axes(drawing: Drawing, frame: Frame, x: Scale, y: Scale) -> None:
    ticks = round_ticks(*values_between(y, frame.bottom, frame.top))
    for value in ticks:
        drawing.line(frame.left, y(value), frame.right, y(value), "grid")
        drawing.text(frame.left - 7, y(value) + 4, f"{value:.{decimals(ticks)}f}", "tick", "end")
    ticks = round_ticks(*values_between(x, frame.left, frame.right))
    for value in ticks:
        drawing.line(x(value), frame.bottom, x(value), frame.bottom + 5, "axis")
        drawing.text(x(value), frame.bottom + 18, f"{value:.{decimals(ticks)}f}", "tick", "middle")
    drawing.line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    middle = (frame.left + frame.right) / 2
    drawing.text(middle, frame.bottom + 37, "the paper's GAP, on its data", "name", "middle")
    drawing.text(0, 11, "measured GAP", "name")


def _named(row: PrintedRow, x: Scale, y: Scale) -> NamedPoint:
    ends = y(row.ours.low), y(row.ours.high)
    return NamedPoint(row.run, "encoder", x(row.paper), y(row.ours.value), *ends)
