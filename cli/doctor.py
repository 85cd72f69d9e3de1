"""`compress doctor`: what is wrong with this machine, and how to fix it."""

from __future__ import annotations

import rich_click as click
from click.exceptions import Exit

from cli.options import workspace_options
from cli.session import Session


@click.command()
@workspace_options
@click.pass_obj
def doctor(session: Session) -> None:
    """Check libraries, GPU, compiled code, memory and disk; exit code 69 if something is broken."""
    from compress.doctor import examine

    found = examine(session.workspace.root)
    session.show(
        found,
        lambda: "\n".join(
            f"{check.state:<4}  {check.name:<10}  {check.found}"
            + (f"\n{'':18}-> {check.mend}" if check.mend else "")
            for check in found.checks
        ),
    )
    if not found.healthy:
        raise Exit(69)
