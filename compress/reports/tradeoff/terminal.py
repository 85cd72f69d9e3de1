"""The trade-off in the terminal: rules on a terminal, plain aligned text elsewhere."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from compress.metrics import Interval
from compress.reports.terminal_page import empty_table, print_page
from compress.reports.tradeoff.point import Point
from compress.reports.tradeoff.sentences import data_line, headline
from compress.reports.tradeoff.table import TradeoffTable
from compress.reports.wording import DELTA, NONE, figure, points, points_bracket

WIDTH = 120
FRONT = "*"
FOOT = (
    f"On the confirmation half; {FRONT}: no other point has a higher GAP for no more bytes. {DELTA}: against "
    "the baseline, ahead: of the best of what needs no training, of no more bytes; both in points with "
    "their paired 95 % interval. The selection half is in the files."
)
COLUMNS = (
    *("Point", "Bytes", "GAP", f"{DELTA} GAP", "MAP", f"{DELTA} MAP"),
    *("Neighbours", f"{DELTA} neighbours", "Ahead: GAP"),
)
OPTIONAL = {"Neighbours": 128, f"{DELTA} neighbours": 104, "MAP": 90}


def print_tradeoff(table: TradeoffTable, console: Console | None = None) -> None:
    """Print the table; a console that is not a terminal gets plain text of 120 columns."""
    print_page(lambda width, ruled: to_terminal(table, width=width, ruled=ruled), console, WIDTH)


def to_terminal(table: TradeoffTable, *, width: int = WIDTH, ruled: bool = True) -> RenderableType:
    """The table for rich.

    Args:
        width: columns to fit; in fewer, the less important columns go.
        ruled: box-drawing rules; without them the text is plain.
    """
    parts: list[RenderableType] = [Text(headline(table), style="bold"), Text(data_line(table)), Text("")]
    parts.append(_table(table, width, ruled))
    parts += [Text(f"Note: {text}") for text in table.failures]
    return Group(*parts, Text(FOOT))


def _table(table: TradeoffTable, width: int, ruled: bool) -> Table:
    shown = [name for name in COLUMNS if width >= OPTIONAL.get(name, 0)]
    drawn = empty_table(ruled)
    drawn.leading = 0  # many rows of two lines
    for name in shown:
        first = name == COLUMNS[0]
        drawn.add_column(Text(name), justify="left" if first else "right", no_wrap=not first, overflow="fold")
    best = {point.name for point in table.front("gap")}
    for point in table.points:
        cells = _cells(point, point.name in best)
        drawn.add_row(*(cells[name] for name in shown), style="bold" if point.role == "baseline" else "")
    return drawn


def _cells(point: Point, on_front: bool) -> dict[str, Text]:
    found, delta, rival = point.confirmation.figures, point.confirmation.delta, point.rivals.get("gap")
    ahead = Text(NONE) if rival is None else Text(f"{_change(rival.ahead)}\n{rival.name}")
    values = (
        Text(point.name + (f" {FRONT}" if on_front else "")),
        Text(f"{point.bytes_per_video:,}"),
        _figure(found.get("gap")),
        Text(_change(delta.get("gap"))),
        _figure(found.get("map")),
        Text(_change(delta.get("map"))),
        _figure(found.get("precision")),
        Text(_change(delta.get("precision"))),
        ahead,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _figure(estimate: Interval | None) -> Text:
    return Text(figure(estimate.value if estimate else None))


def _change(estimate: Interval | None) -> str:
    return NONE if estimate is None else f"{points(estimate.value)}\n{points_bracket(estimate)}"
