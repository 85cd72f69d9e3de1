"""The forest plot: each row's difference from the baseline with its paired interval, beside the paper's."""

from __future__ import annotations

from collections.abc import Sequence

from compress.errors import NotFoundError
from compress.metrics import Interval
from compress.papers import published
from compress.reports.plots.axis import Scale, linear, round_ticks, values_between
from compress.reports.plots.svg import Drawing
from compress.reports.table_4.table import Line, Table4
from compress.reports.table_4.tradeoff import NAMES
from compress.reports.wording import DELTA, points, points_bracket

PITCH, TOP, BOTTOM, RIGHT = 24.0, 12.0, 44.0, 14.0
CLASSES = {"holds": "holds", "within noise": "noise", "falls short": "short"}


def forest(table: Table4, metric: str, *, width: float, name: str) -> str:
    """The plot as an inline SVG.

    Args:
        metric: "gap" or "map".
        width: of the drawing, in units of one CSS pixel at full size.
        name: makes the ids in the page unique.

    Raises:
        NotFoundError: no row has a difference.
    """
    lines = [line for line in table.lines if line.row is not None and line.row.delta is not None]
    if not lines:
        raise NotFoundError("no row was compared with the baseline", hint="`compress evaluate` compares rows")
    left = max(len(_label(line)) for line in lines) * 6.7 + 12
    height = TOP + PITCH * len(lines) + BOTTOM
    x = _scale(lines, metric, left, width - RIGHT)
    title = f"Difference in {NAMES[metric]} from the baseline, in points"
    drawing = Drawing(width, height, title=title, description=_described(lines, metric), name=name)
    _axis(drawing, x, left, width - RIGHT, height - BOTTOM, NAMES[metric])
    for i, line in enumerate(lines):
        _line(drawing, line, metric, x, TOP + PITCH * (i + 0.5))
    return drawing.render()


def _label(line: Line) -> str:
    return line.row.row if line.row else line.title


def _delta(line: Line, metric: str) -> Interval:
    delta: Interval = getattr(line.row.delta if line.row else None, metric)
    return delta


def paper_difference(line: Line, metric: str) -> float | None:
    """The paper's figure minus its baseline's, as a fraction; None for rows that the paper lacks."""
    if line.published is None or line.published.name == published().baseline.name:
        return None
    difference: float = getattr(line.published, metric) - getattr(published().baseline, metric)
    return difference


def _described(lines: Sequence[Line], metric: str) -> str:
    found = [(line, _delta(line, metric)) for line in lines]
    return "; ".join(f"{_label(line)}: {points(d.value)} {points_bracket(d)}" for line, d in found)


def _scale(lines: Sequence[Line], metric: str, left: float, right: float) -> Scale:
    values = [0.0]
    for line in lines:
        delta, paper = _delta(line, metric), paper_difference(line, metric)
        values += [100 * v for v in (delta.value, delta.low, delta.high)]
        values += [] if paper is None else [100 * paper]
    air = max(0.06 * (max(values) - min(values)), 0.1)
    return linear(min(values) - air, max(values) + air, left, right)


def _axis(drawing: Drawing, x: Scale, left: float, right: float, bottom: float, metric: str) -> None:
    for value in round_ticks(*values_between(x, left, right)):
        drawing.line(x(value), TOP, x(value), bottom, "zero" if value == 0 else "grid")
        label = points(value / 100, 1).removesuffix(".0") if value else "0"
        drawing.text(x(value), bottom + 16, label, "tick", "middle")
    drawing.text((left + right) / 2, bottom + 36, f"{DELTA} {metric}, points", "name", "middle")


def _line(drawing: Drawing, line: Line, metric: str, x: Scale, y: float) -> None:
    delta, paper = _delta(line, metric), paper_difference(line, metric)
    verdict = line.gap_verdict if metric == "gap" else line.map_verdict
    drawing.text(0, y + 4, _label(line), f"label {line.row.role if line.row else ''}")
    drawing.line(x(100 * delta.low), y, x(100 * delta.high), y, f"bar {CLASSES[verdict]}")
    if paper is not None:
        drawing.marker(x(100 * paper), y, "diamond", "mark paper", f"the paper: {points(paper, 1)} points")
    hint = f"{line.title}: {points(delta.value)} {points_bracket(delta)}, {verdict}"
    drawing.marker(x(100 * delta.value), y, "circle", f"mark {CLASSES[verdict]}", hint)
