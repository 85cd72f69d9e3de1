"""The report in the terminal: colours and rules on a terminal, plain aligned text elsewhere."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from compress.metrics import Interval, Intervals
from compress.reports.table_4.cautions import cautions
from compress.reports.table_4.sentences import data_line, frames_needed, headline
from compress.reports.table_4.table import Line, Table4
from compress.reports.table_4.verdict import Verdict
from compress.reports.terminal_page import empty_table, not_run, print_page
from compress.reports.wording import DELTA, NONE, bracket, figure, points, points_bracket, saved

WIDTH = 100
COLOURS = {
    Verdict.HOLDS: "green",
    Verdict.WITHIN_NOISE: "yellow",
    Verdict.FALLS_SHORT: "red",
    Verdict.NOT_RUN: "bold",
}
MODEL, SAVED, PAPER = "Model", "Saved\ndims\nbytes", f"Paper\nGAP\n{DELTA} GAP"
OTHERS = "MAP\nPERR\nHit@1"
COLUMNS = (
    MODEL,
    "Dims",
    "Bytes",
    SAVED,
    "GAP\n[low, high]",
    f"{DELTA} GAP\npoints\nverdict",
    f"{DELTA} MAP\npoints\nverdict",
    OTHERS,
    PAPER,
)
FOOT = (
    "[low, high]: 95 % bootstrap interval over videos, not over training seeds; differences are paired, in "
    "points. MAP skips classes without positives."
)
OPTIONAL = {SAVED: 96, PAPER: 90, OTHERS: 84}  # left out where there are fewer columns than this


def print_report(table: Table4, console: Console | None = None) -> None:
    """Print the report; a console that is not a terminal gets plain text of 100 columns."""
    print_page(lambda width, ruled: to_terminal(table, width=width, ruled=ruled), console, WIDTH)


def to_terminal(table: Table4, *, width: int = WIDTH, ruled: bool = True) -> RenderableType:
    """The report for rich.

    Args:
        width: columns to fit; below 96, 90 and 84 the less important columns go.
        ruled: box-drawing rules; without them the text is plain.
    """
    parts: list[RenderableType] = [Text(headline(table), style="bold"), Text(data_line(table)), Text("")]
    parts.append(_table(table, width, ruled))
    parts += [Text(f"Note: {text}") for text in cautions(table)]
    parts.append(Text(FOOT))
    missing = [line for line in table.lines if line.row is None]
    for line in missing:
        parts += not_run(f"{line.title}{frames_needed(line)}", line.command)
    return Group(*parts)


def _table(table: Table4, width: int, ruled: bool) -> Table:
    shown = [name for name in COLUMNS if width >= OPTIONAL.get(name, 0)]
    drawn = empty_table(ruled)
    for name in shown:
        if name == MODEL:
            drawn.add_column(Text(name), min_width=12)
        else:
            drawn.add_column(Text(name), justify="right", no_wrap=True)
    for title, lines in table.groups:
        drawn.add_row(Text(title, style="bold"))
        for line in lines:
            cells = _cells(line)
            drawn.add_row(*(cells[name] for name in shown))
    return drawn


def _cells(line: Line) -> dict[str, Text]:
    row, paper = line.row, line.published
    figures, delta = (row.figures, row.delta) if row else (None, None)
    values = (
        Text(line.title),
        Text(str(line.dim)),
        Text(str(row.bytes_per_video) if row else NONE),
        Text(f"{saved(line.dims_saved)}\n{saved(line.bytes_saved)}"),
        _figure(figures.gap if figures else None),
        _difference(delta.gap if delta else None, line.gap_verdict),
        _difference(delta.map if delta else None, line.map_verdict),
        _others(figures),
        Text("" if paper is None else f"{figure(paper.gap)}\n{_paper_delta(paper.delta_gap_points)}"),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _figure(estimate: Interval | None) -> Text:
    return Text(NONE) if estimate is None else Text(f"{figure(estimate.value)}\n{bracket(estimate)}")


def _others(figures: Intervals | None) -> Text:
    if figures is None:
        return Text(NONE)
    return Text("\n".join(figure(e.value) for e in (figures.map, figures.perr, figures.hit_at_one)))


def _difference(estimate: Interval | None, verdict: Verdict) -> Text:
    words = Text(str(verdict), style=COLOURS.get(verdict, ""))
    if estimate is None:
        return words
    return Text.assemble(f"{points(estimate.value)}\n{points_bracket(estimate)}\n", words)


def _paper_delta(delta: float | None) -> str:
    return NONE if delta is None else points(delta / 100, 1)
