"""The report as one HTML file that needs nothing else: styles and plots inline, nothing fetched."""

from __future__ import annotations

from compress.reports.classes.html import class_values
from compress.reports.classes.sections import ClassSections
from compress.reports.html_page import template
from compress.reports.provenance import Provenance
from compress.reports.table_4.cautions import cautions
from compress.reports.table_4.figures import (
    FOREST_CAPTION,
    FOREST_LEGEND,
    NAMES,
    TRADEOFF_CAPTION,
    TRADEOFF_LEGEND,
    forest,
    tradeoff,
)
from compress.reports.table_4.sentences import METHOD, data_line, frames_needed, headline
from compress.reports.table_4.table import Table4


def to_html(table: Table4, provenance: Provenance, classes: ClassSections | None = None) -> str:
    """The whole page; all text from rows is escaped (Jinja2 autoescape, ElementTree in the plots)."""
    return template("report.html.jinja").render(
        table=table,
        provenance=provenance,
        headline=headline(table),
        data=data_line(table),
        cautions=cautions(table),
        method=METHOD,
        frames_needed=frames_needed,
        forests=[chart for metric in NAMES if (chart := forest(table, metric))],
        forest_caption=FOREST_CAPTION,
        forest_legend=FOREST_LEGEND,
        tradeoffs=[tradeoff(table, metric) for metric in NAMES],
        tradeoff_caption=TRADEOFF_CAPTION,
        tradeoff_legend=TRADEOFF_LEGEND,
        retrieval=[row for _, row in table.measured if row.retrieval is not None],
        **class_values(classes),
    )
