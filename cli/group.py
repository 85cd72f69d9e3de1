"""A group of commands, as the program itself and `compress data` are."""

from __future__ import annotations

import difflib
from typing import Any

import rich_click as click


class Commands(click.RichGroup):
    """Lists its commands in the order of work, and names the closest one when asked for an unknown one."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which they were added."""
        return list(self.commands)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As click's, with a suggestion."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            names = self.list_commands(ctx)
            close = difflib.get_close_matches(args[0], names, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}?" if close else f"commands: {', '.join(names)}"
            raise click.UsageError(f"no such command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)
