"""A report as Markdown that can be kept under docs/results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from benchmarks.results import Report, Result
from benchmarks.words import arithmetic, goal, interval, quantity, rate, ratio, share, size
from compress.artifacts.atomic import write_bytes

_HOW = """\
Each row is a process in which both sides run in turn, and who goes first alternates; a cell is the median
over the rounds, and the ratio is the median of the rounds' ratios, with the smallest and the largest. Before
anything is timed both sides are compared; "checked" says how. Times are CPU time of the process with one
thread, but for rows marked (wall). Limits were measured in the same run: a share above 100 % means that fewer
operations were needed than the definition has."""


def render(report: Report) -> str:
    """The page."""
    return "\n".join([*_head(report), *_tables(report.results), *_details(report.results)]) + "\n"


def save(report: Report, path: Path) -> None:
    """Write the page, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, render(report).encode())


def _head(report: Report) -> Iterator[str]:
    machine = report.machine
    yield f"# Speed beside the rivals{' (quick)' if report.quick else ''}"
    yield ""
    yield (
        f"{machine.cpu}, {machine.cores} cores ({' '.join(machine.flags)}), {size(machine.memory)}, "
        f"{machine.gpu or 'no GPU'}, {machine.system}; {machine.date[:10]}, "
        f"commit {machine.commit or 'unknown'}, load average {machine.load:.1f} at the start. "
        + ", ".join(f"{name} {number}" for name, number in machine.versions.items())
        + f". Data: {report.data}."
    )
    yield from ("", _HOW, "")
    limits = (
        f"{name} {quantity(value, 'FLOP' if 'arithmetic' in name else 'B')}/s"
        for name, value in report.limits.items()
    )
    yield f"Limits of this machine: {', '.join(limits)}." if report.limits else ""


def _tables(results: Sequence[Result]) -> Iterator[str]:
    for path, rows in groupby(results, key=lambda result: result.path):
        yield from ("", f"## {path}", "", _cells(_COLUMNS), _cells(["---"] * len(_COLUMNS)))
        yield from (_cells(_row(row)) for row in rows)


_COLUMNS = ("row", "ours", "rival", "times faster", "goal", "share of the limit")


def _row(row: Result) -> list[str]:
    name = f"{row.name}{' (wall)' if row.clock == 'wall' else ''}"
    if row.state != "measured":
        return [name, row.ours, row.rival, f"{row.state}: {row.reason}", goal(row), "-"]
    ours = f"{row.ours}: {rate(row.our_rate, row.unit)}"
    rival = f"{row.rival}: {rate(row.rival_rate, row.unit)}"
    return [name, ours, rival, f"**{ratio(row)}** {interval(row)}", goal(row), share(row)]


def _details(results: Sequence[Result]) -> Iterator[str]:
    yield from ("", "## What was checked, and the arithmetic of the shares", "")
    for row in results:
        if row.state == "measured":
            parts = (f"checked: {row.checked}", arithmetic(row), *row.notes)
            yield f"- {row.name}: {'; '.join(part for part in parts if part)}."


def _cells(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
