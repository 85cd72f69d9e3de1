"""The files of a report, each replaced in one step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compress.artifacts.atomic import write_bytes, write_json
from compress.artifacts.manifest import versions
from compress.evaluation.row import Row
from compress.reports.classes.sections import ClassSections
from compress.reports.document import Document, Provenance
from compress.reports.html import to_html
from compress.reports.markdown import to_markdown
from compress.reports.table_4.page import table4_page
from compress.reports.table_4.table import table4


def write_document(document: Document, folder: Path, stem: str) -> tuple[Path, Path, Path]:
    """Write <stem>.md, <stem>.json and <stem>.html.

    Args:
        document: any report.
        folder: made when absent.
        stem: of the file names.

    Returns: the paths, in this order.

    Raises:
        StorageError: the disk refused; older files stay as they were.
    """
    markdown, plain, page = (folder / f"{stem}.{kind}" for kind in ("md", "json", "html"))
    write_bytes(markdown, to_markdown(document).encode("utf-8"))
    write_json(plain, dict(document.data))
    write_bytes(page, to_html(document).encode("utf-8"))
    return markdown, plain, page


def provenance(generated: str, command: str, fingerprint: str = "") -> Provenance:
    """When and by which command a report is made, with the versions that make it."""
    return Provenance(generated, command, versions(), fingerprint)


def write_report(
    rows: Sequence[Row],
    folder: Path,
    *,
    generated: str,
    command: str,
    classes: ClassSections | None = None,
    failures: Sequence[str] = (),
    paper: bool | None = None,
) -> tuple[Path, Path, Path]:
    """Write report.md, report.json and report.html: Table 4 of the rows.

    Args:
        rows: as `load_rows` returns them.
        folder: made when absent.
        generated: the date to print; two reports with the same date and rows are the same bytes.
        command: what the user typed.
        classes: rare and frequent classes, as `class_sections` finds them; None leaves them out.
        failures: sentences about rows that could not be made.
        paper: whether the paper's rows and figures are shown; None shows them for YouTube-8M data.

    Returns: the paths of the Markdown, JSON and HTML files.

    Raises:
        NotFoundError: no rows.
        StorageError: the disk refused; older files stay as they were.
    """
    made = provenance(generated, command, rows[0].data.fingerprint if rows else "")
    document = table4_page(table4(rows, failures), made, classes, paper=paper)
    return write_document(document, folder, "report")
