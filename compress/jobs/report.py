"""`compress report`: from all evaluations of a workspace to Table 4."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from compress.reports import Table4, load_rows, table4, write_report
from compress.workspace import Workspace


@dataclass(frozen=True)
class Reported:
    """The table, and the files that were written."""

    table: Table4
    markdown: Path
    json: Path
    html: Path


def report_workspace(workspace: Workspace, output: Path | None, command: str = "compress report") -> Reported:
    """Write the report of every evaluation.

    Args:
        workspace: whose evaluation/ is read.
        output: folder for the files; None means the workspace's reports/.
        command: what was typed, for the report.

    Raises:
        NotFoundError: nothing was evaluated.
    """
    rows = load_rows(workspace.evaluation)
    folder = output or workspace.reports
    files = write_report(rows, folder, generated=date.today().isoformat(), command=command)
    return Reported(table4(rows), *files)
