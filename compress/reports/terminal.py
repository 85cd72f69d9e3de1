"""A report in the terminal: colours and rules on a terminal, plain aligned text elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table as Grid
from rich.text import Text as Words

from compress.reports.document import Bullets, Cell, Column, Commands, Document, Row, Table, Text, Tone

PLAIN_WIDTH = 120
"""Columns of a report that does not go to a terminal."""
_PLAIN = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
_COLOURS: dict[Tone, str] = {
    "holds": "green",
    "noise": "yellow",
    "short": "red",
    "strong": "bold",
    "quiet": "dim",
    "name": "dim",
    "tag": "dim",
}
_MANY_ROWS = 16  # longer tables have no blank line between rows


def print_document(document: Document, console: Console | None = None) -> None:
    """Print a report.

    Args:
        document: any report.
        console: None for standard output; one that is not a terminal gets plain text of `PLAIN_WIDTH`.
    """
    console = console or Console(soft_wrap=False)
    if not console.is_terminal:
        console = Console(file=console.file, width=PLAIN_WIDTH, color_system=None, force_terminal=False)
    console.print(Group(*_parts(document, console)), crop=False)


def _parts(document: Document, console: Console) -> Iterator[RenderableType]:
    yield Words(document.headline, style="bold")
    yield Words(document.measured_on)
    yield Words("")
    for section in document.sections:
        if section.terminal:
            for block in section.blocks:
                if isinstance(block, Table):
                    yield _fitting(block, console)
                elif isinstance(block, Text):
                    yield Words(block.text)
                elif isinstance(block, Bullets):
                    yield from map(Words, block.items)
    yield from (Words(f"Note: {text}") for text in document.cautions)
    if document.foot:
        yield Words(document.foot)
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Commands):
                yield from _missing(block)


def _missing(commands: Commands) -> Iterator[RenderableType]:
    """Rows that were not run; a command is never wrapped, so that it can be copied."""
    for one in commands.commands:
        if one.missing:
            yield Words(f"NOT RUN: {one.title}{f' ({one.note})' if one.note else ''}; to run it:")
            yield Words(f"  {one.command}", no_wrap=True, overflow="ignore")


def _fitting(table: Table, console: Console) -> Grid:
    """The table without the columns for which the terminal is too narrow."""
    shown = [i for i, column in enumerate(table.columns) if "terminal" in column.shown]
    while True:
        grid = _grid(table, shown, ruled=console.is_terminal)
        needed = Measurement.get(console, console.options.update(max_width=10_000), grid).minimum
        least = max(shown, key=lambda i: table.columns[i].drop)
        if needed <= console.width or not table.columns[least].drop:
            return grid
        shown.remove(least)


def _grid(table: Table, shown: Sequence[int], *, ruled: bool) -> Grid:
    rows = [row for group in table.groups for row in group.rows]
    grid = Grid(
        box=box.SIMPLE_HEAD if ruled else _PLAIN,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        leading=1 if len(rows) <= _MANY_ROWS else 0,
    )
    for place, i in enumerate(shown):
        column = table.columns[i]
        title = Words(column.title + (f"\n{column.under}" if column.under else ""))
        if place == 0:
            grid.add_column(title, min_width=_longest_word(column, [row.cells[i] for row in rows]))
        else:
            grid.add_column(title, justify="left" if column.left else "right", no_wrap=True)
    for group in table.groups:
        if group.title and group.rows:
            grid.add_row(Words(group.title, style="bold"))
        for row in group.rows:
            _add(grid, row, shown)
    return grid


def _add(grid: Grid, row: Row, shown: Sequence[int]) -> None:
    grid.add_row(*(_words(row.cells[i]) for i in shown), style="bold" if row.reference else "")


def _words(found: Cell) -> Words:
    lines = Words("\n").join(Words(part.text, style=_COLOURS.get(part.tone, "")) for part in found)
    return lines


def _longest_word(column: Column, cells: Sequence[Cell]) -> int:
    """Columns that the names of rows need: no word of them is cut."""
    texts = [column.title, *(part.text for found in cells for part in found)]
    return max(len(word) for text in texts for word in (text.split() or [""]))
