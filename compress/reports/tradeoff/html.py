"""The trade-off as one HTML file that needs nothing else: styles and plots inline, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence

from compress.reports.document import Chart
from compress.reports.html_page import template
from compress.reports.provenance import Provenance
from compress.reports.tradeoff.figures import CAPTION
from compress.reports.tradeoff.sentences import METHOD, data_line, headline
from compress.reports.tradeoff.table import TradeoffTable
from compress.reports.tradeoff.wording import NAMES, heads


def to_html(table: TradeoffTable, provenance: Provenance, charts: Sequence[Chart]) -> str:
    """The whole page; all text from rows is escaped (Jinja2 autoescape, ElementTree in the plots)."""
    return template("tradeoff.html.jinja").render(
        table=table,
        provenance=provenance,
        headline=headline(table),
        data=data_line(table),
        method=METHOD,
        names=NAMES,
        heads=heads,
        charts=charts,
        caption=CAPTION,
        kinds=sorted({family for point in table.points for family in point.of_families}),
        several=[point for point in table.points if point.heads > 1],
    )
