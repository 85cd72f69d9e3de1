"""The three plots of the trade-off as one SVG file that needs nothing else."""

from __future__ import annotations

from compress.reports.plots.standalone import standalone
from compress.reports.tradeoff.panel import panel
from compress.reports.tradeoff.table import TradeoffTable
from compress.reports.tradeoff.wording import NAMES

WIDTH, HEIGHT, GAP = 520.0, 460.0, 28.0


def panels(table: TradeoffTable) -> list[str]:
    """The metrics that at least one point has, in reading order."""
    return [m for m in NAMES if any(m in point.confirmation.figures for point in table.points)]


def to_svg(table: TradeoffTable) -> str:
    """The plots side by side."""
    drawn = [
        panel(table, metric, width=WIDTH, height=HEIGHT, name=f"tradeoff-{metric}")
        for metric in panels(table)
    ]
    return standalone(drawn, WIDTH, HEIGHT, GAP)
