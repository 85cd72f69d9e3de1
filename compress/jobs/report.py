"""`compress report`: from all evaluations of a workspace to Table 4."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console

from compress.reports import load_rows, print_report, table4, write_report
from compress.workspace import Workspace


@dataclass(frozen=True)
class Reported:
    """The files that were written, and the table as text."""

    markdown: Path
    json: Path
    html: Path
    text: str


def report_workspace(workspace: Workspace, output: Path | None, *, width: int | None) -> Reported:
    """Write the report of every evaluation.

    Args:
        workspace: whose evaluation/ is read.
        output: folder for the files; None means the workspace's reports/.
        width: columns of the terminal that `text` is for, or None for plain text.

    Raises:
        NotFoundError: nothing was evaluated.
    """
    rows = load_rows(workspace.evaluation)
    files = write_report(
        rows, output or workspace.reports, generated=date.today().isoformat(), command="compress report"
    )
    text = io.StringIO()
    print_report(table4(rows), Console(file=text, width=width, force_terminal=width is not None))
    return Reported(*files, text.getvalue().rstrip("\n"))
