"""The part of the page about classes."""

from __future__ import annotations

from typing import Any

from compress.reports.classes.extremes import extremes_caption
from compress.reports.classes.figures import frequency_charts, looks, zipf_chart
from compress.reports.classes.frequency import frequency_caption, where_lost
from compress.reports.classes.sections import ClassSections
from compress.reports.classes.zipf import zipf_caption
from compress.reports.document import Key
from compress.reports.svg import legend_mark


def class_values(classes: ClassSections | None) -> dict[str, Any]:
    """What templates/classes.html.jinja shows: `classes`, `class_charts` and `class_words`."""
    found = classes.findings if classes is not None else None
    if found is None:
        return {"classes": classes, "class_charts": None, "class_words": None}
    charts = {
        "frequency": frequency_charts(found.frequency),
        "legend": [Key(row.title, legend_mark(look), row.name) for row, look in looks(found.frequency)],
        "zipf": zipf_chart(found.train, found.validation, found.names),
    }
    words = {
        "told": where_lost(found.frequency),
        "names": [row.name for row in found.frequency.rows],
        "frequency": frequency_caption(found.frequency),
        "extremes": extremes_caption(found.extremes) if found.extremes is not None else "",
        "zipf": zipf_caption(found.train, found.validation),
    }
    return {"classes": classes, "class_charts": charts, "class_words": words}
