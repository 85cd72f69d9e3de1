"""Cells that every report has: a figure and a difference, each above its 95 % interval."""

from __future__ import annotations

from compress.metrics import Interval
from compress.reports.document import Cell, Part
from compress.reports.rounding import bracket, figure, points, points_bracket


def estimate(found: Interval | None) -> Cell:
    """A figure and its interval: 0.679 [0.673, 0.685]; no parts where it was not measured."""
    return () if found is None else (Part(figure(found.value)), Part(bracket(found), "quiet"))


def change(found: Interval | None) -> Cell:
    """A difference in points and its interval: +0.40 [+0.00, +0.80]; no parts where there is none."""
    return () if found is None else (Part(points(found.value)), Part(points_bracket(found), "quiet"))
