"""Results on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.results import Report, Result
from benchmarks.words import goal, interval, rate, ratio, share, size

HEADER = ("row", "ours", "rival", "times faster", "rounds", "goal", "of the limit")


def render(report: Report) -> str:
    """The table, and below it what was not measured."""
    machine = report.machine
    head = (
        f"{machine.cpu}, {machine.cores} cores, {size(machine.memory)}, {machine.gpu or 'no GPU'}, "
        f"commit {machine.commit or 'unknown'}, {machine.date}, load {machine.load:.1f}"
    )
    measured = [line(result) for result in report.results if result.state == "measured"]
    others = [f"{r.name}: {r.state}: {r.reason}" for r in report.results if r.state != "measured"]
    return "\n".join([head, "", *columns([HEADER, *measured]), *([""] if others else []), *others])


def line(result: Result) -> tuple[str, ...]:
    """One measured row as cells of `HEADER`."""
    wall = " (wall)" if result.clock == "wall" else ""
    return (
        result.name + wall,
        rate(result.our_rate, result.unit),
        rate(result.rival_rate, result.unit),
        ratio(result),
        interval(result),
        goal(result),
        share(result),
    )


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Cells, each column as wide as its widest; the first one on the left, the others on the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
