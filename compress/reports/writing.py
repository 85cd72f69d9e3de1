"""The files of a report, each replaced in one step."""

from __future__ import annotations

from pathlib import Path

from compress.artifacts.atomic import write_bytes, write_json
from compress.artifacts.manifest import versions
from compress.reports.document import Document, Provenance
from compress.reports.html import to_html
from compress.reports.markdown import to_markdown


def write_document(document: Document, folder: Path, stem: str) -> tuple[Path, Path, Path]:
    """Write <stem>.md, <stem>.json and <stem>.html.

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
