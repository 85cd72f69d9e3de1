"""The JSON file of a table of measured rows, of stores or of models: what both have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compress.evaluation.models.row import ModelRow
from compress.evaluation.row import Row, plain
from compress.metrics import METRICS
from compress.reports.classes.page import classes_json
from compress.reports.classes.sections import ClassSections
from compress.reports.document import Provenance

SCHEMA_VERSION = 1
COLUMNS = tuple(metric for metric in METRICS if metric.column)
"""The metrics that tables have columns for."""


def table_json(
    *,
    headline: str,
    measured_on: str,
    cautions: Sequence[str],
    groups: Iterable[tuple[str, Sequence[Mapping[str, Any]]]],
    classes: ClassSections | None,
    method: Sequence[str],
    provenance: Provenance,
) -> dict[str, Any]:
    """The whole file but what only one kind of table has; `groups` are titles with their lines."""
    return {
        "schema_version": SCHEMA_VERSION,
        "headline": headline,
        "data": measured_on,
        "cautions": list(cautions),
        "groups": [{"title": title, "lines": list(lines)} for title, lines in groups],
        "classes": None if classes is None else classes_json(classes),
        "method": list(method),
        "provenance": provenance.as_json(),
    }


def measured_json(row: Row | ModelRow, without: Sequence[str]) -> dict[str, Any]:
    """The row without what the report leaves out; what older rows lack is null."""
    found: dict[str, Any] = plain(row)
    for name in without:
        del found[name]
    for figures in (found["figures"], found.get("delta")):
        if figures is not None:
            figures.setdefault("map_with_empty_as_zero", None)
    return found
