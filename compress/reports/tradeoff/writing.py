"""The four files of the trade-off, each replaced in one step."""

from __future__ import annotations

from pathlib import Path

from compress.artifacts.atomic import write_bytes, write_json
from compress.artifacts.manifest import versions
from compress.reports.provenance import Provenance
from compress.reports.svg import standalone
from compress.reports.tradeoff.figures import charts
from compress.reports.tradeoff.html import to_html
from compress.reports.tradeoff.json_report import to_json
from compress.reports.tradeoff.markdown import to_markdown
from compress.reports.tradeoff.table import TradeoffTable


def write_tradeoff(
    table: TradeoffTable, folder: Path, *, generated: str, command: str
) -> tuple[Path, Path, Path, Path]:
    """Write tradeoff.md, tradeoff.json, tradeoff.html and tradeoff.svg.

    Args:
        table: what was measured.
        folder: made when absent.
        generated: the date to print; two reports with the same date and points are the same bytes.
        command: what the user typed.

    Returns: the paths, in this order.

    Raises:
        StorageError: the disk refused; older files stay as they were.
    """
    provenance = Provenance(generated, command, versions())
    markdown, plain, page, drawing = (folder / f"tradeoff.{kind}" for kind in ("md", "json", "html", "svg"))
    drawn = charts(table)
    write_bytes(drawing, standalone([chart.wide for chart in drawn]).encode("utf-8"))
    write_bytes(markdown, to_markdown(table, provenance, drawing.name).encode("utf-8"))
    write_json(plain, to_json(table, provenance))
    write_bytes(page, to_html(table, provenance, drawn).encode("utf-8"))
    return markdown, plain, page, drawing
