"""The files of a report, each replaced in one step."""

from __future__ import annotations

from pathlib import Path

from compress.artifacts.atomic import read_bytes, write_bytes, write_json
from compress.artifacts.manifest import versions
from compress.errors import UsageError
from compress.reports.document import Document, Provenance
from compress.reports.html import to_html
from compress.reports.markdown import to_markdown

_MADE = (b"Provenance", b'"provenance"', b'"generated"')


def write_document(document: Document, folder: Path, stem: str) -> tuple[Path, Path, Path]:
    """Write <stem>.md, <stem>.json and <stem>.html.

    Returns: the paths, in this order.

    Raises:
        UsageError: a file of that name is there that is no report.
        StorageError: the disk refused; older files stay as they were.
    """
    markdown, plain, page = (folder / f"{stem}.{kind}" for kind in ("md", "json", "html"))
    refuse_others(markdown, plain, page)
    write_bytes(markdown, to_markdown(document).encode("utf-8"))
    write_json(plain, dict(document.data))
    write_bytes(page, to_html(document).encode("utf-8"))
    return markdown, plain, page


def refuse_others(*paths: Path) -> None:
    """UsageError if one of the files is there and no report of ours: each of those says how it was made."""
    for path in paths:
        if path.exists() and not any(word in read_bytes(path) for word in _MADE):
            raise UsageError(
                "is there already, and it is no report",
                where=path,
                hint="move it away, or choose another folder with --output",
            )


def provenance(generated: str, command: str, fingerprint: str = "") -> Provenance:
    """When and by which command a report is made, with the versions that make it."""
    return Provenance(generated, command, versions(), fingerprint)
