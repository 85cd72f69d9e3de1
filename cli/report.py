"""`compress report`: Table 4, the paper's columns beside ours."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from cli.options import workspace_options
from cli.session import Session


@click.command()
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="reports/ of the workspace",
    metavar="FOLDER",
    help="Where table4.md, table4.json and table4.html go.",
)
@workspace_options
@click.pass_obj
def report(session: Session, output: Path | None) -> None:
    """Write Table 4 from all evaluations: model, size, GAP, what changed, and a verdict a row."""
    from compress.jobs.report import write_report

    done = write_report(session.workspace, output)
    session.show(done.facts(), lambda: done.terminal)
