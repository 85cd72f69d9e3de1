"""`compress du`: what a workspace holds."""

from __future__ import annotations

import rich_click as click

from cli.options import workspace_options
from cli.session import Session
from cli.text import size, table


@click.command()
@workspace_options
@click.pass_obj
def du(session: Session) -> None:
    """Say how many bytes a workspace holds of each kind, and what `compress clean` can remove of them."""
    from compress.jobs.housekeeping import measure_usage

    found = measure_usage(session.workspace)
    rows = [
        (
            one.kind,
            one.items,
            size(one.bytes),
            size(one.removable) + f" with {session.next(' '.join(['compress', 'clean', one.by]).strip())}"
            if one.removable
            else "",
        )
        for one in (*found.held,)
    ]
    total = ("all", "", size(found.bytes), "")
    session.show(found, lambda: table(("", "items", "bytes", "can go"), [*rows, total]))
