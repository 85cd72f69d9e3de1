"""What each judge of the panel says of each point of the trade-off."""

from __future__ import annotations

from collections.abc import Iterator

from compress.reports.document import Cell, Section, cell, change, estimate, row
from compress.reports.panel import BEST_JUDGE, in_order, judge_columns
from compress.reports.rounding import DELTA
from compress.reports.tradeoff.measured import NAMES
from compress.reports.tradeoff.points import points_table, size_of
from compress.reports.tradeoff.table import JUDGED, Point, TradeoffTable


def judges_section(table: TradeoffTable) -> Iterator[Section]:
    """What each judge says of each point."""
    names = in_order(name for point in table.points for name in point.judges)
    tables = []
    for metric in JUDGED if names else ():
        rows = [
            row(
                point.name,
                *size_of(point),
                *(_judge(point, name, metric) for name in names),
                reference=point.role == "baseline",
            )
            for point in table.points
        ]
        title = NAMES[metric]
        caption = (
            f"{DELTA} {title} of each point under each judge against the same judge of the baseline, in "
            f"points; for the baseline its own {title}. On the confirmation half."
        )
        tables.append(points_table(caption, judge_columns(names), rows))
    if tables:
        yield Section("Judges", tuple(tables))


def _judge(point: Point, name: str, metric: str) -> Cell:
    found = point.judges.get(name, {}).get(metric)
    told = estimate(found) if point.role == "baseline" else change(found)
    return cell(*told, BEST_JUDGE if name == point.best else None)
