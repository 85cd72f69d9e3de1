"""A report in the terminal: colours and rules on a terminal, plain aligned text elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text as Words

from compress.foreign_text import visible
from compress.reports.document import Bullets, Cell, Column, Commands, Document, Table, Text, Tone

PLAIN_WIDTH = 120
"""Columns of a report that does not go to a terminal."""
_PLAIN = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
_COLOURS: dict[Tone, str] = {
    **dict.fromkeys(("quiet", "paper", "name", "tag"), "dim"),
    "strong": "bold",
    "holds": "green",
    "noise": "yellow",
    "short": "red",
}
_MANY_ROWS = 16  # longer tables have no blank line between rows
_LONGEST_NAME, _LONGEST_CELL = 26, 40  # characters; what is longer is broken


def print_document(document: Document, console: Console | None = None) -> None:
    """Print a report; a console that is not a terminal gets plain text of `PLAIN_WIDTH` columns."""
    console = console or Console(soft_wrap=False)
    if not console.is_terminal:
        console = Console(file=console.file, width=PLAIN_WIDTH, color_system=None, force_terminal=False)
    console.print(Group(*_parts(document, console)), crop=False)


def _parts(document: Document, console: Console) -> Iterator[RenderableType]:
    yield _words_of(document.headline, style="bold")
    yield _words_of(document.measured_on)
    yield _words_of("")
    for section in document.sections:
        if section.terminal:
            for block in section.blocks:
                if isinstance(block, Table):
                    yield _fitting(block, console)
                elif isinstance(block, Text):
                    yield _words_of(block.text)
                elif isinstance(block, Bullets):
                    yield from map(_words_of, block.items)
    yield from (_words_of(f"Note: {text}") for text in document.cautions)
    if document.foot:
        yield _words_of(document.foot)
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Commands):
                yield from _missing(block)


def _missing(commands: Commands) -> Iterator[RenderableType]:
    """Rows that were not run; a command is never wrapped, so that it can be copied."""
    for one in commands.commands:
        if one.missing:
            yield _words_of(f"NOT RUN: {one.title}{f' ({one.note})' if one.note else ''}; to run it:")
            yield _words_of(f"  {one.command}", no_wrap=True, overflow="ignore")


def _fitting(table: Table, console: Console) -> Grid:
    """The table without the columns for which the terminal is too narrow; no word and no figure is cut."""
    shown = [i for i, column in enumerate(table.columns) if "terminal" in column.shown]
    rows = [row for group in table.groups for row in group.rows]
    widths = {i: _width(table.columns[i], [row.cells[i] for row in rows], first=i == shown[0]) for i in shown}
    gap = 2
    while sum(widths[i] + gap for i in shown) - gap > console.width:
        least = max(shown, key=lambda i: table.columns[i].drop)
        if gap == 2:
            gap = 1
        elif table.columns[least].drop:
            shown.remove(least)
        else:
            break
    grid = Grid(
        box=box.SIMPLE_HEAD if console.is_terminal else _PLAIN,
        show_edge=False,
        padding=(0, gap - 1, 0, 0),
        pad_edge=False,
        leading=1 if len(rows) <= _MANY_ROWS else 0,
    )
    for i in shown:
        column, first = table.columns[i], i == shown[0]
        grid.add_column(
            _words_of(column.title + (f"\n{column.under}" if column.under else "")),
            justify="left" if first or column.left else "right",
            no_wrap=not first,
            min_width=widths[i],
            overflow="fold",
        )
    for group in table.groups:
        if group.title and group.rows:
            grid.add_row(_words_of(group.title, style="bold"))
        for row in group.rows:
            grid.add_row(*(_words(row.cells[i]) for i in shown), style="bold" if row.reference else "")
    return grid


def _words(found: Cell) -> Words:
    return Words("\n").join(_words_of(part.text, style=_COLOURS.get(part.tone, "")) for part in found)


def _width(column: Column, cells: Sequence[Cell], *, first: bool) -> int:
    """The least width of a column: of its longest line, or of the longest word of the first column."""
    texts = [column.title, column.under, *(part.text for found in cells for part in found)]
    lines = [line for text in texts for line in (text.split() if first else text.splitlines())]
    return min(max(map(len, lines)), _LONGEST_NAME if first else _LONGEST_CELL)


def _words_of(text: str, **style: Any) -> Words:
    return Words(visible(text), **style)
