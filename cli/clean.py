"""`compress clean`: removes what is of no use any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import rich_click as click

from cli.options import workspace_options
from cli.progress import reporter
from cli.session import Session, say
from cli.text import size, table

if TYPE_CHECKING:
    from compress.jobs.housekeeping import Removable


@click.command()
@click.option(
    "--cache", is_flag=True, help="Also copies of the data and teachers' scores; made again if needed."
)
@click.option("--heads", is_flag=True, help="Also answers of single judges; rows and reports stay.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@workspace_options
@click.pass_obj
def clean(session: Session, cache: bool, heads: bool, yes: bool) -> None:
    """Remove what killed processes left and, with options, what commands can make again; asks first."""
    from compress.jobs.housekeeping import clean_workspace

    def agree(wanted: Sequence[Removable]) -> bool:
        if yes:
            return True
        if session.json:
            raise click.UsageError("with --json nobody can be asked; give --yes.")
        say(_listed(wanted))
        try:
            return click.confirm("Remove this?", default=False)
        except click.Abort as error:
            if isinstance(error.__context__, KeyboardInterrupt):
                raise
            raise click.UsageError("nobody answered; give --yes to remove without being asked.") from None

    with reporter(silent=session.json or session.quiet) as report:
        done = clean_workspace(session.workspace, cache=cache, heads=heads, agree=agree, report=report)
    if not done.agreed:
        session.show(done, lambda: "nothing was removed")
    elif not done.removed:
        session.show(done, lambda: "nothing to remove")
    else:
        start = f"{_listed(done.removed)}\n" if yes else ""
        session.show(done, lambda: f"{start}removed {size(done.bytes)}")


def _listed(wanted: Sequence[Removable]) -> str:
    return table(("bytes", "path", "why"), [(size(one.bytes), one.path, one.why) for one in wanted])
