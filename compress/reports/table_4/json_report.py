"""The report as JSON: unrounded figures, fractions (not points), sizes in bytes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from compress.evaluation.row import Row, plain
from compress.reports.classes.json_report import classes_json
from compress.reports.classes.sections import ClassSections
from compress.reports.provenance import Provenance
from compress.reports.table_4.cautions import cautions
from compress.reports.table_4.sentences import METHOD, data_line, headline
from compress.reports.table_4.table import Line, Table4

SCHEMA_VERSION = 1


def to_json(table: Table4, provenance: Provenance, classes: ClassSections | None = None) -> dict[str, Any]:
    """A JSON-able dict; `groups` in reading order, each with its lines; NOT RUN lines have null figures."""
    return {
        "schema_version": SCHEMA_VERSION,
        "headline": headline(table),
        "data": data_line(table),
        "cautions": cautions(table),
        "baseline": table.baseline.row if table.baseline else None,
        "groups": [
            {"title": title, "lines": [_line(line) for line in lines]} for title, lines in table.groups
        ],
        "classes": None if classes is None else classes_json(classes),
        "method": list(METHOD),
        "provenance": {
            "generated": provenance.generated,
            "command": provenance.command,
            "versions": dict(provenance.versions),
        },
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "title": line.title,
        "dim": line.dim,
        "bytes_per_video": line.row.bytes_per_video if line.row else None,
        "dims_saved": line.dims_saved,
        "bytes_saved": line.bytes_saved,
        "gap_verdict": str(line.gap_verdict),
        "map_verdict": str(line.map_verdict),
        "command": line.command,
        "published": asdict(line.published) if line.published else None,
        "measured": _measured(line.row) if line.row else None,
    }


def _measured(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = plain(row)
    for name in ("halves", "map_full"):
        del found[name]
    for figures in (found["figures"], found["delta"]):
        if figures is not None:
            figures.setdefault("map_with_empty_as_zero", None)
    found["joint"].pop("map_with_empty_as_zero", None)
    if found["retrieval"] is not None:
        del found["retrieval"]["queries_from"]
    return found
