"""A table of models as JSON: unrounded figures, fractions, seconds."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from compress.evaluation.models.row import ModelRow
from compress.evaluation.row import plain
from compress.reports.classes.json_report import classes_json
from compress.reports.classes.sections import ClassSections
from compress.reports.models.sentences import (
    METHOD,
    model_cautions,
    model_data_line,
    model_headline,
    order_kept,
)
from compress.reports.models.table import ModelLine, ModelTable
from compress.reports.provenance import Provenance

SCHEMA_VERSION = 1


def models_to_json(
    table: ModelTable, provenance: Provenance, classes: ClassSections | None = None
) -> dict[str, Any]:
    """A JSON-able dict; `groups` in reading order, each with its lines; NOT RUN lines have null figures."""
    agreeing, pairs = order_kept(table)
    return {
        "schema_version": SCHEMA_VERSION,
        "table": table.name,
        "headline": model_headline(table),
        "data": model_data_line(table),
        "cautions": model_cautions(table),
        "order": {"pairs": pairs, "as_in_the_paper": agreeing},
        "groups": [
            {"title": title, "lines": [_line(line) for line in lines]} for title, lines in table.groups
        ],
        "classes": None if classes is None else classes_json(classes),
        "method": list(METHOD),
        "provenance": asdict(provenance),
    }


def _line(line: ModelLine) -> dict[str, Any]:
    return {
        "title": line.title,
        "run": line.run,
        "judgement": str(line.judgement),
        "tolerance": line.wanted.tolerance if line.published and line.wanted else None,
        "source": line.wanted.source if line.published and line.wanted else None,
        "published": asdict(line.published) if line.published else None,
        "measured": _measured(line.model) if line.model else None,
        "notes": list(line.notes),
        "command": line.command,
    }


def _measured(model: ModelRow) -> dict[str, Any]:
    found: dict[str, Any] = plain(model)
    for name in ("baseline", "delta", "precision", "map_full"):
        del found[name]
    found["figures"].setdefault("map_with_empty_as_zero", None)
    return found
