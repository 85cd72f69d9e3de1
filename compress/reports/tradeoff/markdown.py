"""The trade-off as Markdown (GitHub tables)."""

from __future__ import annotations

from compress.metrics import Interval
from compress.reports.markdown_blocks import command_block, provenance_blocks
from compress.reports.markdown_table import escape, to_table
from compress.reports.provenance import Provenance
from compress.reports.tradeoff.point import Half, Point
from compress.reports.tradeoff.sentences import METHOD, data_line, headline
from compress.reports.tradeoff.table import TradeoffTable
from compress.reports.tradeoff.wording import NAMES, ahead, change, heads
from compress.reports.wording import DELTA, NONE, bracket, figure, points

SIZES = ("Point", "Bytes a video", "Dims", "Codec")
OF_HALF = tuple(text for name in NAMES.values() for text in (name, f"{DELTA} {name} (points)"))
AHEAD = tuple(f"Ahead: {NAMES[metric]}" for metric in ("gap", "map"))


def to_markdown(table: TradeoffTable, provenance: Provenance, figure_name: str) -> str:
    """The whole page; ends with one newline. Text from rows is escaped: it cannot become markup.

    Args:
        table: what was measured.
        provenance: of the report.
        figure_name: file of the drawing beside it.
    """
    parts = [f"# {escape(headline(table))}", escape(data_line(table))]
    parts += [f"> **Note.** {escape(text)}" for text in table.failures]
    parts.append(f"![GAP, MAP and label precision against bytes a video]({figure_name})")
    rows = [
        [*_size(p), *_half(p.confirmation), *(ahead_cell(p, m) for m in ("gap", "map"))] for p in table.points
    ]
    parts += ["## On the confirmation half", to_table((*SIZES, *OF_HALF, *AHEAD), rows)]
    rows = [[*_size(p), *_half(p.selection)] for p in table.points]
    parts += ["## On the selection half", to_table((*SIZES, *OF_HALF), rows)]
    parts += _families(table)
    parts += _seeds(table)
    parts += ["## How to read this", "\n".join(f"- {escape(text)}" for text in METHOD)]
    blocks = [command_block(f"{point.name}, {point.title}", point.command) for point in table.points]
    parts += ["## Commands", "\n\n".join(blocks)]
    parts += ["## Provenance", *provenance_blocks(provenance)]
    return "\n\n".join(parts) + "\n"


def _size(point: Point) -> list[str]:
    return [escape(point.name), str(point.bytes_per_video), str(point.dim), escape(point.codec)]


def _half(half: Half) -> list[str]:
    cells = []
    for metric in NAMES:
        cells += [_figure(half.figures.get(metric)), change(half.delta.get(metric))]
    return cells


def _figure(estimate: Interval | None) -> str:
    return NONE if estimate is None else f"{figure(estimate.value)} {bracket(estimate)}"


def ahead_cell(point: Point, metric: str) -> str:
    """How far a point is ahead of its rival, and of which, as Markdown."""
    return escape(ahead(point.rivals, metric))


def _families(table: TradeoffTable) -> list[str]:
    """Each trained point beside the best of each kind of baseline."""
    kinds = sorted({family for point in table.points for family in point.of_families})
    rows = [
        [escape(point.name), str(point.bytes_per_video), NAMES[metric]]
        + [escape(ahead(point.of_families.get(kind, {}), metric)) for kind in kinds]
        for point in table.points
        for metric in NAMES
        if any(metric in point.of_families.get(kind, {}) for kind in kinds)
    ]
    if not rows:
        return []
    header = ("Point", "Bytes a video", "Figure", *(f"Ahead of {escape(kind)}" for kind in kinds))
    return ["## Ahead of each kind of baseline, of no more bytes (points)", to_table(header, rows)]


def _seeds(table: TradeoffTable) -> list[str]:
    several = [point for point in table.points if point.heads > 1]
    if not several:
        return []
    header = ("Point", "Measured with", *(f"{name}: half the range (points)" for name in NAMES.values()))
    rows = [
        [escape(p.name), heads(p), *(points(p.spread.get(m)).lstrip("+") for m in NAMES)] for p in several
    ]
    return ["## What another seed does", to_table(header, rows)]
