"""The two files of a selection, each replaced in one step."""

from __future__ import annotations

from pathlib import Path

from compress.artifacts.atomic import write_bytes, write_json
from compress.artifacts.manifest import versions
from compress.reports.provenance import Provenance
from compress.reports.selection.json_report import selection_to_json
from compress.reports.selection.markdown import selection_to_markdown
from compress.reports.selection.selection import Selection


def write_selection(selection: Selection, folder: Path, *, generated: str, command: str) -> tuple[Path, Path]:
    """Write select.md and select.json.

    Args:
        selection: what to tell.
        folder: made when absent.
        generated: the date to print.
        command: what the user typed.

    Returns: the paths of the Markdown and the JSON file.

    Raises:
        StorageError: the disk refused; older files stay as they were.
    """
    markdown, facts = folder / "select.md", folder / "select.json"
    provenance = Provenance(generated, command, versions())
    write_bytes(markdown, selection_to_markdown(selection, provenance).encode("utf-8"))
    write_json(facts, selection_to_json(selection) | {"command": command, "generated": generated})
    return markdown, facts
