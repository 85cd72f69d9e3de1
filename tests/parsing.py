"""What the program makes of a command line, without running it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from cli.program import compress
from cli.session import Session


def every(command: click.Command) -> Iterator[click.Command]:
    """The command and, of a group, all below it."""
    yield command
    if isinstance(command, click.Group):
        for below in command.commands.values():
            yield from every(below)


def parsed(words: list[str]) -> click.Context:
    """What click makes of the words; raises for a command or option that does not exist."""
    command: click.Command = compress
    parent: click.Context | None = None
    while isinstance(command, click.Group):
        parent = click.Context(
            command, parent, info_name=command.name, obj=Session(), **command.context_settings
        )
        _, found, words = command.resolve_command(parent, words)
        assert found is not None
        command = found
    return command.make_context(command.name, list(words), parent=parent)
