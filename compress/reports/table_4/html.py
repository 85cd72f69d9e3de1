"""The report as one HTML file that needs nothing else: styles and plots inline, nothing fetched."""

from __future__ import annotations

from markupsafe import Markup

from compress.reports.classes.html import class_values
from compress.reports.classes.sections import ClassSections
from compress.reports.html_page import template
from compress.reports.provenance import Provenance
from compress.reports.table_4.cautions import cautions
from compress.reports.table_4.forest import forest
from compress.reports.table_4.sentences import METHOD, data_line, frames_needed, headline
from compress.reports.table_4.table import Table4
from compress.reports.table_4.tradeoff import tradeoff

WIDE, NARROW = (560, 440), (372, 420)


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
        forests=_forests(table),
        tradeoffs=_tradeoffs(table),
        retrieval=[row for _, row in table.measured if row.retrieval is not None],
        **class_values(classes),
    )


def _forests(table: Table4) -> list[tuple[Markup, Markup]]:
    """For each metric the plot for a wide page and for a phone; empty when no row has a difference."""
    if all(row.delta is None for _, row in table.measured):
        return []

    def draw(metric: str, kind: str, width: int) -> Markup:
        return Markup(forest(table, metric, width=width, name=f"{kind}-forest-{metric}"))

    return [(draw(metric, "wide", WIDE[0]), draw(metric, "narrow", NARROW[0])) for metric in ("gap", "map")]


def _tradeoffs(table: Table4) -> list[tuple[Markup, Markup]]:
    """For each metric the plot for a wide page and the one for a phone."""

    def draw(metric: str, kind: str, size: tuple[int, int]) -> Markup:
        name = f"{kind}-tradeoff-{metric}"
        return Markup(tradeoff(table, metric, width=size[0], height=size[1], name=name))

    return [(draw(metric, "wide", WIDE), draw(metric, "narrow", NARROW)) for metric in ("gap", "map")]
