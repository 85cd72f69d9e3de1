"""`compress report`: Table 4, the paper's columns beside ours."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import rich_click as click

from cli.options import workspace_options
from cli.session import Session
from cli.text import facts, printed


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

    def text() -> str:
        from compress.reports import print_report

        return f"{printed(partial(print_report, done.table))}\n\n{facts(files)}"

    session.show(files, text)
