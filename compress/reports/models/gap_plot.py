"""A table of models as a plot: the measured GAP of each row, and the paper's beside it, on its own axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compress.errors import NotFoundError
from compress.reports.models.row import ModelRow
from compress.reports.models.table import ModelLine, ModelTable
from compress.reports.plots.axis import Frame, Scale, decimals, linear, round_ticks, values_between
from compress.reports.plots.svg import Drawing
from compress.reports.wording import bracket, figure

Measured = tuple[ModelLine, ModelRow]
CHARACTER = 6.7
TOP, BOTTOM, RIGHT = 34.0, 44.0, 14.0
PITCH, NAMED_PITCH = 24.0, 38.0  # of rows with their names beside them, and above them
NARROW = 480.0  # below this many units, names stand above their rows
BETWEEN = 26.0  # the two panels
SHARE = 0.6  # of the room for the measured figures


@dataclass(frozen=True)
class Panel:
    """One of the two axes; `x` maps GAP to drawing units."""

    frame: Frame
    x: Scale
    title: str


def model_plot(table: ModelTable, *, width: float, name: str) -> str:
    """The plot as an inline SVG; rows that were not run are left out.

    Args:
        table: its rows stand in their order.
        width: of the drawing, in units of one CSS pixel at full size.
        name: makes the ids in the page unique.

    Raises:
        NotFoundError: no row was measured.
    """
    rows = table.measured
    if not rows:
        raise NotFoundError("no row was measured", hint="`compress evaluate --run` measures one")
    above = width < NARROW
    pitch = NAMED_PITCH if above else PITCH
    height = TOP + pitch * len(rows) + BOTTOM
    drawing = Drawing(width, height, title=_title(table), description=_described(rows), name=name)
    left = 0.0 if above else max(len(line.run) for line, _ in rows) * CHARACTER + 14
    measured, paper = _panels(rows, left, width - RIGHT, height - BOTTOM)
    for panel in (measured, paper):
        if panel is not None:
            _axis(drawing, panel)
    for i, (line, model) in enumerate(rows):
        top = TOP + pitch * i
        if i and (line in table.paper) != (rows[i - 1][0] in table.paper):
            drawing.line(0, top, width - RIGHT, top, "leader")
        drawing.text(0, top + (14 if above else pitch / 2 + 4), line.run, f"label {_style(line)}")
        _row(drawing, (line, model), measured, paper, top + (26 if above else pitch / 2))
    return drawing.render()


def _title(table: ModelTable) -> str:
    return f"{table.title}: GAP of each measured row"


def _described(rows: Sequence[Measured]) -> str:
    def told(line: ModelLine, model: ModelRow) -> str:
        paper = f", the paper {figure(line.published.gap)}" if line.published else ""
        return f"{line.run}: {figure(model.figures.gap.value)} {bracket(model.figures.gap)}{paper}"

    return "; ".join(told(line, model) for line, model in rows)


def _panels(rows: Sequence[Measured], left: float, right: float, bottom: float) -> tuple[Panel, Panel | None]:
    """The measured figures, and the paper's where it has any of these rows."""
    ends = [end for _, model in rows for end in (model.figures.gap.low, model.figures.gap.high)]
    printed = [line.published.gap for line, _ in rows if line.published]
    middle = left + SHARE * (right - left - BETWEEN) if printed else right
    measured = _panel(ends, Frame(left + 6, TOP, middle, bottom), "measured")
    if not printed:
        return measured, None
    return measured, _panel(printed, Frame(middle + BETWEEN, TOP, right, bottom), "the paper")


def _panel(values: Sequence[float], frame: Frame, title: str) -> Panel:
    air = max(0.07 * (max(values) - min(values)), 0.002)
    return Panel(frame, linear(min(values) - air, max(values) + air, frame.left, frame.right), title)


def _axis(drawing: Drawing, panel: Panel) -> None:
    frame = panel.frame
    wanted = 5 if frame.right - frame.left > 180 else 3
    ticks = round_ticks(*values_between(panel.x, frame.left, frame.right), wanted)
    for value in ticks:
        drawing.line(panel.x(value), frame.top, panel.x(value), frame.bottom, "grid")
        drawing.text(panel.x(value), frame.bottom + 16, f"{value:.{decimals(ticks)}f}", "tick", "middle")
    drawing.line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    drawing.text((frame.left + frame.right) / 2, frame.bottom + 36, "GAP", "name", "middle")
    drawing.text(frame.left, frame.top - 16, panel.title, "name")


def _style(line: ModelLine) -> str:
    return "encoder" if line.published else "second"


def _row(drawing: Drawing, row: Measured, measured: Panel, paper: Panel | None, y: float) -> None:
    line, model = row
    gap, style = model.figures.gap, _style(line)
    drawing.line(measured.x(gap.low), y, measured.x(gap.high), y, f"bar {style}")
    shape = "circle" if line.published else "square"
    hint = f"{line.title}: {figure(gap.value)} {bracket(gap)}"
    drawing.marker(measured.x(gap.value), y, shape, f"mark {style}", hint)
    if paper is not None and line.published is not None:
        value = line.published.gap
        drawing.marker(paper.x(value), y, "diamond", "mark paper", f"the paper: {figure(value)}")
