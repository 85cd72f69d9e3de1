"""The paper's Table 4 with ours beside it, and below it the rows that a sceptic asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compress.errors import NotFoundError
from compress.evaluation.row import Row
from compress.papers import ExpectedControl, PublishedRow, published
from compress.reports.table_4.verdict import Verdict, verdict_on

STEMS = ("original", "pca", "random", "linear")


@dataclass(frozen=True)
class Line:
    """One line of the table: a published row, a measured row, or both.

    `dims_saved` and `bytes_saved` are fractions of the baseline's dimensions and bytes (negative: grew);
    None where the baseline or the row was not measured. `command` measures the row (again).
    """

    title: str
    published: PublishedRow | None
    row: Row | None
    dim: int
    dims_saved: float | None
    bytes_saved: float | None
    gap_verdict: Verdict
    map_verdict: Verdict
    command: str


@dataclass(frozen=True)
class Table4:
    """`paper`: the published rows; `controls`: the original first; `others`: encoders the paper lacks.

    `failures`: sentences about rows that could not be made.
    """

    paper: tuple[Line, ...]
    controls: tuple[Line, ...]
    others: tuple[Line, ...]
    baseline: Row | None
    failures: tuple[str, ...] = ()

    @property
    def groups(self) -> tuple[tuple[str, tuple[Line, ...]], ...]:
        """The headed groups that hold lines, in reading order."""
        named = (
            ("Paper's Table 4", self.paper),
            ("Controls", self.controls),
            ("Other encoders", self.others),
        )
        return tuple((name, lines) for name, lines in named if lines)

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines in reading order."""
        return self.paper + self.controls + self.others

    @property
    def measured(self) -> tuple[tuple[Line, Row], ...]:
        """The lines that were run, each with its row."""
        return tuple((line, line.row) for line in self.lines if line.row is not None)


def table4(rows: Sequence[Row], failures: Sequence[str] = ()) -> Table4:
    """Put measured rows beside the published ones; what was not measured says NOT RUN with its command.

    Args:
        rows: as `load_rows` returns them: the same validation data and the same baseline.
        failures: sentences about rows that could not be made, to be shown with the table.

    Raises:
        NotFoundError: `rows` is empty.

    Source: Table 4 of the paper; the controls are ours.
    """
    if not rows:
        raise NotFoundError("no measured rows to report", hint="`compress evaluate` measures one")
    baseline = next((row for row in rows if row.role == "baseline"), None)
    names = {row.name for row in published().rows}
    claimed = [row for row in rows if row.table4_row in names]
    rest = [row for row in rows if row.table4_row not in names]
    controls = [row for row in rest if row.role != "encoder"]
    return Table4(
        paper=_paper_lines(claimed, baseline),
        controls=_control_lines(controls, {row.dim for row in claimed}, baseline),
        others=tuple(
            _measured(row, None, baseline) for row in sorted(rest, key=_order) if row.role == "encoder"
        ),
        baseline=baseline,
        failures=tuple(failures),
    )


def _paper_lines(claimed: Sequence[Row], baseline: Row | None) -> tuple[Line, ...]:
    lines: list[Line] = []
    for wanted in published().rows:
        found = sorted((row for row in claimed if row.table4_row == wanted.name), key=_order)
        lines += [_measured(row, wanted, baseline) for row in found]
        if not found:
            lines.append(_not_run(wanted.name, wanted.size, wanted.command, wanted, baseline))
    return tuple(lines)


def _control_lines(controls: Sequence[Row], sizes: set[int], baseline: Row | None) -> tuple[Line, ...]:
    ranked = [(_order(row), _measured(row, _paper_baseline(row), baseline)) for row in controls]
    original = baseline.dim if baseline is not None else published().baseline.size
    for wanted in published().controls:
        for size in sorted(sizes) if wanted.each_size else [original]:
            if not any(_answers(row, wanted, size) for row in controls):
                ranked.append(_missing_control(wanted, size, baseline))
    return tuple(line for _, line in sorted(ranked, key=lambda pair: pair[0]))


def _paper_baseline(row: Row) -> PublishedRow | None:
    return published().baseline if row.role == "baseline" else None


def _answers(row: Row, wanted: ExpectedControl, size: int) -> bool:
    return _stem(row.row) == wanted.stem and row.codec == wanted.codec and row.dim == size


def _missing_control(
    wanted: ExpectedControl, size: int, baseline: Row | None
) -> tuple[tuple[int, int, int, str], Line]:
    original = wanted.stem == STEMS[0] and wanted.codec == "float32"
    title, command = wanted.title.format(size=size), wanted.command.format(size=size)
    line = _not_run(title, size, command, published().baseline if original else None, baseline)
    width = {"float32": 4, "int8": 1}[wanted.codec]
    return (STEMS.index(wanted.stem), size, -size * width, ""), line


def _stem(name: str) -> str:
    return name.partition("-")[0]


def _order(row: Row) -> tuple[int, int, int, str]:
    """Originals, PCA, random, linear, the rest; then by size, the wider codec first, by name."""
    stem = _stem(row.row)
    rank = STEMS.index(stem) if stem in STEMS else len(STEMS)
    return (-1 if row.role == "baseline" else rank, row.dim, -row.bytes_per_video, row.row)


def _measured(row: Row, wanted: PublishedRow | None, baseline: Row | None) -> Line:
    return Line(
        title=row.title,
        published=wanted,
        row=row,
        dim=row.dim,
        dims_saved=_saved(row.dim, baseline.dim if baseline else None),
        bytes_saved=_saved(row.bytes_per_video, baseline.bytes_per_video if baseline else None),
        gap_verdict=verdict_on(row, "gap"),
        map_verdict=verdict_on(row, "map"),
        command=row.command,
    )


def _not_run(title: str, dim: int, command: str, wanted: PublishedRow | None, baseline: Row | None) -> Line:
    saved = _saved(dim, baseline.dim if baseline else None)
    return Line(title, wanted, None, dim, saved, None, Verdict.NOT_RUN, Verdict.NOT_RUN, command)


def _saved(size: int, original: int | None) -> float | None:
    return None if original is None else (original - size) / original
