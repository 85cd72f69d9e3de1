"""`compress completion install`: the shell completes commands, options and names."""

from __future__ import annotations

import rich_click as click

from cli.options import Commands, output_options
from cli.session import Session
from cli.text import aligned

SHELLS = ("bash", "zsh", "fish")


@click.group(cls=Commands)
def completion() -> None:
    """Let the shell complete commands, options and file names."""


@completion.command()
@click.option("--shell", type=click.Choice(SHELLS), show_default="that of $SHELL", help="For which shell.")
@output_options
@click.pass_obj
def install(session: Session, shell: str | None) -> None:
    """Write what activates completion: one line in .bashrc or .zshrc, or a file of fish."""
    from compress.jobs.completion import install_completion

    done = install_completion(shell)
    session.show(
        done,
        lambda: aligned(
            {
                "shell": done.shell,
                "file": done.path,
                "state": "written; takes effect in a new shell" if done.written else "was there already",
            }
        ),
    )
