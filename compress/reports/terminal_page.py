"""What the terminal reports share: how a console gets them, and the frame of their tables."""

from __future__ import annotations

from collections.abc import Callable

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

PLAIN = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def print_page(
    render: Callable[[int, bool], RenderableType], console: Console | None, plain_width: int
) -> None:
    """Print a report.

    Args:
        render: from columns to fit, and whether rules are drawn, to the report.
        console: None for standard output; one that is not a terminal gets plain text.
        plain_width: columns of that.
    """
    console = console or Console(soft_wrap=False)
    if console.is_terminal:
        console.print(render(console.width, True), crop=False)
        return
    plain = Console(file=console.file, width=plain_width, color_system=None, force_terminal=False)
    plain.print(render(plain_width, False), crop=False)


def empty_table(ruled: bool) -> Table:
    """A table without columns; rules are drawn when `ruled`."""
    return Table(box=box.SIMPLE_HEAD if ruled else PLAIN, padding=(0, 1, 0, 0), pad_edge=False, leading=1)


def not_run(title: str, command: str) -> list[RenderableType]:
    """The two lines of a row that was not run; the command is never wrapped, so that it can be copied."""
    return [
        Text(f"NOT RUN: {title}; to run it:"),
        Text(f"  {command}", no_wrap=True, overflow="ignore"),
    ]
