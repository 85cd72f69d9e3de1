"""The trade-off as JSON: unrounded figures, fractions (not points), sizes in bytes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from compress.reports.provenance import Provenance
from compress.reports.tradeoff.sentences import METHOD, data_line, headline
from compress.reports.tradeoff.table import TradeoffTable
from compress.reports.tradeoff.wording import NAMES

SCHEMA_VERSION = 1


def to_json(table: TradeoffTable, provenance: Provenance) -> dict[str, Any]:
    """A JSON-able dict; `points` by rising bytes, `fronts` name those that no other beats."""
    return {
        "schema_version": SCHEMA_VERSION,
        "headline": headline(table),
        "data": data_line(table),
        "baseline": table.baseline.name,
        "points": [asdict(point) for point in table.points],
        "fronts": {metric: [point.name for point in table.front(metric)] for metric in NAMES},
        "failures": list(table.failures),
        "method": list(METHOD),
        "provenance": {
            "generated": provenance.generated,
            "command": provenance.command,
            "versions": dict(provenance.versions),
        },
    }
