"""The part of the page about classes; its plots are drawn twice: for a wide page and for a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from compress.reports.classes.frequency import ClassFrequency
from compress.reports.classes.frequency_plot import frequency_plot, marks
from compress.reports.classes.sections import ClassFindings, ClassSections
from compress.reports.classes.sentences import (
    extremes_caption,
    frequency_caption,
    where_lost,
    zipf_caption,
)
from compress.reports.classes.zipf_plot import zipf_plot

WIDE, NARROW = (560.0, 400.0), (372.0, 380.0)
Pair = tuple[Markup, Markup]


def class_values(classes: ClassSections | None) -> dict[str, Any]:
    """What templates/classes.html.jinja shows: `classes`, `class_plots` and `class_words`."""
    found = classes.findings if classes is not None else None
    if found is None:
        return {"classes": classes, "class_plots": None, "class_words": None}
    plots = {
        "frequency": frequency_plots(found.frequency),
        "marks": marks(found.frequency),
        "zipf": zipf_plots(found),
    }
    words = {
        "told": where_lost(found.frequency),
        "names": [row.name for row in found.frequency.rows],
        "frequency": frequency_caption(found.frequency),
        "extremes": extremes_caption(found.extremes) if found.extremes is not None else "",
        "zipf": zipf_caption(found.train, found.validation),
    }
    return {"classes": classes, "class_plots": plots, "class_words": words}


def frequency_plots(found: ClassFrequency) -> list[Pair]:
    """Mean average precision by bin and, when there is a baseline, the differences from it."""
    kinds = [False, *([True] if any(row.delta is not None for row in found.rows) else [])]

    def plot(differences: bool) -> Pair:
        label = "change" if differences else "level"
        return _pair(
            lambda size, kind: frequency_plot(
                found,
                differences=differences,
                width=size[0],
                height=size[1],
                name=f"{kind}-frequency-{label}",
            )
        )

    return [plot(differences) for differences in kinds]


def zipf_plots(found: ClassFindings) -> Pair:
    """Training and validation videos of each class against its rank."""
    return _pair(
        lambda size, kind: zipf_plot(
            found.train,
            found.validation,
            names=found.names,
            width=size[0],
            height=size[1],
            name=f"{kind}-zipf",
        )
    )


def _pair(draw: Callable[[tuple[float, float], str], str]) -> Pair:
    return Markup(draw(WIDE, "wide")), Markup(draw(NARROW, "narrow"))
