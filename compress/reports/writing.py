"""The three files of each table's report, each replaced in one step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compress.artifacts.atomic import write_bytes, write_json
from compress.artifacts.manifest import versions
from compress.evaluation.row import Row
from compress.reports.classes.sections import ClassSections
from compress.reports.models.html import models_to_html
from compress.reports.models.json_report import models_to_json
from compress.reports.models.markdown import models_to_markdown
from compress.reports.models.table import ModelTable
from compress.reports.provenance import Provenance
from compress.reports.table_4.html import to_html
from compress.reports.table_4.json_report import to_json
from compress.reports.table_4.markdown import to_markdown
from compress.reports.table_4.table import table4


def write_report(
    rows: Sequence[Row],
    folder: Path,
    *,
    generated: str,
    command: str,
    classes: ClassSections | None = None,
    failures: Sequence[str] = (),
) -> tuple[Path, Path, Path]:
    """Write report.md, report.json and report.html.

    Args:
        rows: as `load_rows` returns them.
        folder: made when absent.
        generated: the date to print; two reports with the same date and rows are the same bytes.
        command: what the user typed.
        classes: rare and frequent classes, as `class_sections` finds them; None leaves them out.
        failures: sentences about rows that could not be made.

    Returns: the paths of the Markdown, JSON and HTML files.

    Raises:
        NotFoundError: no rows.
        StorageError: the disk refused; older files stay as they were.
    """
    table = table4(rows, failures)
    provenance = Provenance(generated, command, versions())
    files = _files(folder, "report")
    write_bytes(files[0], to_markdown(table, provenance, classes).encode("utf-8"))
    write_json(files[1], to_json(table, provenance, classes))
    write_bytes(files[2], to_html(table, provenance, classes).encode("utf-8"))
    return files


def write_models(
    table: ModelTable,
    folder: Path,
    *,
    generated: str,
    command: str,
    classes: ClassSections | None = None,
) -> tuple[Path, Path, Path]:
    """Write table-2.md, .json and .html, or those of another table of models; as `write_report`."""
    provenance = Provenance(generated, command, versions())
    files = _files(folder, f"table-{table.name}")
    write_bytes(files[0], models_to_markdown(table, provenance, classes).encode("utf-8"))
    write_json(files[1], models_to_json(table, provenance, classes))
    write_bytes(files[2], models_to_html(table, provenance, classes).encode("utf-8"))
    return files


def _files(folder: Path, stem: str) -> tuple[Path, Path, Path]:
    return folder / f"{stem}.md", folder / f"{stem}.json", folder / f"{stem}.html"
