"""Results as text for a person: aligned facts and tables."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from compress.foreign_text import one_line

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 200


def aligned(values: Mapping[str, Any]) -> str:
    """One `name  value` a line, the values below each other; None is left out."""
    shown = {one_line(name): value for name, value in values.items() if value is not None}
    width = max((len(name) for name in shown), default=0)
    return "\n".join(f"{name:<{width}}  {_shown(value)}" for name, value in shown.items())


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{one_line(name)} {_shown(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else one_line(value)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table without lines; numbers to the right. As wide as the terminal, or as it needs elsewhere."""
    from rich.table import Table

    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for position, column in enumerate(columns):
        # A name without spaces is never cut: it is there to be copied.
        whole = not any(" " in str(text) for text in (column, *(row[position] for row in rows)))
        numeric = bool(rows) and all(isinstance(row[position], int | float) for row in rows)
        grid.add_column(
            one_line(column), justify="right" if numeric else "left", no_wrap=whole, overflow="fold"
        )
    for row in rows:
        grid.add_row(*(f"{cell:.4f}" if isinstance(cell, float) else one_line(cell) for cell in row))
    return printed(lambda console: console.print(grid))


def printed(draw: Callable[[Console], None]) -> str:
    """What `draw` prints: coloured and as wide as the terminal if stdout is one, plain and wide elsewhere."""
    from rich.console import Console

    out, terminal = io.StringIO(), sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else WIDE
    draw(Console(file=out, width=width, force_terminal=terminal, markup=False, highlight=False))
    return "\n".join(line.rstrip() for line in out.getvalue().split("\n")).rstrip("\n")


def size(number: float) -> str:
    """Bytes as a person says them: `1,280 bytes`, `61.3 MB`."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e4)):
        if number >= step:
            return f"{number / (1e3 if unit == 'kB' else step):,.1f} {unit}"
    return f"{number:,.0f} bytes"
