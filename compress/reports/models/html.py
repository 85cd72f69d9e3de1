"""A table of models as one HTML file that needs nothing else."""

from __future__ import annotations

from compress.reports.classes.html import class_values
from compress.reports.classes.sections import ClassSections
from compress.reports.html_page import template
from compress.reports.models.figures import gap_caption, gap_chart, gap_legend, order_chart
from compress.reports.models.markdown import METRICS
from compress.reports.models.sentences import METHOD, model_cautions, model_data_line, model_headline
from compress.reports.models.table import ModelTable
from compress.reports.provenance import Provenance


def models_to_html(table: ModelTable, provenance: Provenance, classes: ClassSections | None = None) -> str:
    """The whole page; all text from rows is escaped (Jinja2 autoescape, ElementTree in the plots)."""
    return template("models.html.jinja").render(
        table=table,
        provenance=provenance,
        headline=model_headline(table),
        data=model_data_line(table),
        cautions=model_cautions(table),
        method=METHOD,
        metrics=METRICS,
        gap_charts=[chart for chart in (gap_chart(table), order_chart(table)) if chart],
        gap_caption=gap_caption(table),
        gap_legend=gap_legend(table),
        **class_values(classes),
    )
