"""Measured rows beside the paper's Table 4, with verdicts, and the rows that a sceptic asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compress.errors import NotFoundError
from compress.evaluation.row import Row
from compress.evaluation.verdicts import Verdict, doubt, verdict
from compress.papers import ExpectedControl, PublishedRow, catalogue, published

JUDGED = ("gap", "map")
"""The metrics with a verdict: the paper's 320-d model held GAP and lost MAP."""
_STEMS = ("original", "pca", "random", "linear")


@dataclass(frozen=True)
class Line:
    """One line of the table: a published row, a measured row, or both."""

    title: str
    published: PublishedRow | None
    row: Row | None
    dim: int
    dims_saved: float | None
    bytes_saved: float | None
    command: str
    baseline: Row | None = None

    def verdict(self, metric: str) -> Verdict:
        """The verdict on one metric ("gap", "map", ...), or why there is none."""
        return Verdict.NOT_RUN if self.row is None else verdict(self.row, self.baseline, metric)

    @property
    def doubt(self) -> str:
        """Why there is no verdict about a row that was compared, in words; empty where there is one."""
        if self.row is None or self.row.delta is None or self.baseline is None:
            return ""
        found = doubt(self.row, self.baseline)
        return "" if found is None else found[1]


@dataclass(frozen=True)
class Table4:
    """All lines."""

    paper: tuple[Line, ...]
    controls: tuple[Line, ...]
    others: tuple[Line, ...]
    baseline: Row | None
    failures: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines, encoders first."""
        return self.others + self.paper + self.controls

    @property
    def measured(self) -> tuple[tuple[Line, Row], ...]:
        """The lines that were run, each with its row."""
        return tuple((line, line.row) for line in self.lines if line.row is not None)

    @property
    def subject(self) -> tuple[Line, Row] | None:
        """The line of the headline: beside the paper the smallest measured one of its rows.

        Without those, or on other data: the one of the fewest bytes that loses nothing, else the best one.
        """
        printed = [(line, line.row) for line in self.paper if line.row is not None]
        if printed and self.on_youtube8m:
            return min(printed, key=lambda one: (one[1].dim, -one[1].bytes_per_video))
        found = printed + [(line, line.row) for line in self.others if line.row is not None]
        fine = (Verdict.HOLDS, Verdict.WITHIN_NOISE)
        holding = [one for one in found if one[0].verdict("gap") in fine]
        if holding:
            return min(holding, key=lambda one: (one[1].bytes_per_video, one[1].dim))
        return max(found, key=lambda one: one[1].figures.gap.value, default=None)

    @property
    def on_youtube8m(self) -> bool:
        """Whether the data have the classes, and the original the dimensions, of the published rows."""
        known = [row.data.num_classes == catalogue().full_data.num_classes for _, row in self.measured]
        return all(known) and (self.baseline is None or self.baseline.dim == published().baseline.size)


def table4(rows: Sequence[Row], failures: Sequence[str] = ()) -> Table4:
    """Put measured rows beside the published ones; what was not measured says NOT RUN with its command.

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
    others = sorted((row for row in rest if row.role == "encoder"), key=_order)
    return Table4(
        paper=_paper_lines(claimed, baseline),
        controls=_control_lines(controls, {row.dim for row in claimed}, baseline),
        others=tuple(_measured(row, None, baseline) for row in others),
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
    original = baseline.dim if baseline is not None else published().baseline.size
    ranked = [
        (_order(row), _measured(row, published().baseline if row.role == "baseline" else None, baseline))
        for row in controls
    ]
    for wanted in published().controls:
        for size in sorted(sizes) if wanted.each_size else [original]:
            if not any(_answers(row, wanted, size) for row in controls):
                width = {"float32": 4, "int8": 1}[wanted.codec]
                place = (_STEMS.index(wanted.stem), size, -size * width, "")
                ranked.append((place, _missing_control(wanted, size, baseline)))
    return tuple(line for _, line in sorted(ranked, key=lambda pair: pair[0]))


def _answers(row: Row, wanted: ExpectedControl, size: int) -> bool:
    return _stem(row.row) == wanted.stem and row.codec == wanted.codec and row.dim == size


def _missing_control(wanted: ExpectedControl, size: int, baseline: Row | None) -> Line:
    original = wanted.stem == _STEMS[0] and wanted.codec == "float32"
    title, command = wanted.title.format(size=size), wanted.command.format(size=size)
    return _not_run(title, size, command, published().baseline if original else None, baseline)


def _stem(name: str) -> str:
    return name.partition("-")[0]


def _order(row: Row) -> tuple[int, int, int, str]:
    """Originals, PCA, random, linear, the rest; then by size, the wider codec first, by name."""
    stem = _stem(row.row)
    rank = _STEMS.index(stem) if stem in _STEMS else len(_STEMS)
    return (-1 if row.role == "baseline" else rank, row.dim, -row.bytes_per_video, row.row)


def _measured(row: Row, wanted: PublishedRow | None, baseline: Row | None) -> Line:
    dims = _saved(row.dim, baseline.dim if baseline else None)
    stored = _saved(row.bytes_per_video, baseline.bytes_per_video if baseline else None)
    return Line(row.title, wanted, row, row.dim, dims, stored, row.command, baseline)


def _not_run(title: str, dim: int, command: str, wanted: PublishedRow | None, baseline: Row | None) -> Line:
    return Line(title, wanted, None, dim, _saved(dim, baseline.dim if baseline else None), None, command)


def _saved(size: int, original: int | None) -> float | None:
    return None if original is None else (original - size) / original
