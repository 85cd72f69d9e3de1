"""`compress report`: Table 4, the paper's columns beside ours."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from cli.options import workspace_options
from cli.session import Session
from cli.text import facts, printed

if TYPE_CHECKING:
    from compress.jobs.report import Reported


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="reports/ of the workspace",
    metavar="FOLDER",
    help="Where report.md, report.json and report.html go.",
)
@workspace_options
@click.pass_obj
def report(session: Session, output: Path | None) -> None:
    """Write Table 4 from all evaluations: model, size, GAP, what changed, and a verdict a row."""
    from compress.jobs.report import report_workspace

    done = report_workspace(session.workspace, output)
    files = {"markdown": done.markdown, "json": done.json, "html": done.html}
    session.show(files, lambda: report_text(done))


def report_text(done: Reported) -> str:
    """Table 4 and where the files are."""
    from compress.reports import print_report

    files = {"markdown": done.markdown, "json": done.json, "html": done.html}
    return f"{printed(partial(print_report, done.table))}\n\n{facts(files)}"
