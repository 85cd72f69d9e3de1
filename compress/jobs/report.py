"""`compress report`: from all evaluations of a workspace to Table 4."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from compress.datasets.vocabulary import load_vocabulary
from compress.reports import Table4, class_sections, load_rows, table4, write_report
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
        NotFoundError: nothing was evaluated, or the workspace's vocabulary is gone.
        CorruptArtifactError: an evaluation or the scores beside it are damaged.
    """
    rows = load_rows(workspace.evaluation)
    table = table4(rows)
    names = {} if workspace.vocabulary is None else load_vocabulary(workspace.vocabulary).names
    classes = class_sections(table, workspace.evaluation, names)
    folder, today = output or workspace.reports, date.today().isoformat()
    files = write_report(rows, folder, generated=today, command=command, classes=classes)
    return Reported(table, *files)
