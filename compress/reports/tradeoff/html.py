"""The trade-off as one HTML file that needs nothing else: styles and plots inline, nothing fetched."""

from __future__ import annotations

from markupsafe import Markup

from compress.reports.html_page import template
from compress.reports.provenance import Provenance
from compress.reports.tradeoff.drawing import panels
from compress.reports.tradeoff.panel import panel
from compress.reports.tradeoff.sentences import METHOD, data_line, headline
from compress.reports.tradeoff.table import TradeoffTable
from compress.reports.tradeoff.wording import NAMES, heads

WIDE, NARROW = (600, 480), (372, 440)


def to_html(table: TradeoffTable, provenance: Provenance) -> str:
    """The whole page; all text from rows is escaped (Jinja2 autoescape, ElementTree in the plots)."""
    return template("tradeoff.html.jinja").render(
        table=table,
        provenance=provenance,
        headline=headline(table),
        data=data_line(table),
        method=METHOD,
        names=NAMES,
        heads=heads,
        plots=[tuple(_draw(table, metric, *size) for size in (WIDE, NARROW)) for metric in panels(table)],
        kinds=sorted({family for point in table.points for family in point.of_families}),
        several=[point for point in table.points if point.heads > 1],
    )


def _draw(table: TradeoffTable, metric: str, width: int, height: int) -> Markup:
    return Markup(panel(table, metric, width=width, height=height, name=f"tradeoff-{metric}-{width}"))
