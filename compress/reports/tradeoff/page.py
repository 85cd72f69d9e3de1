"""The trade-off as a document: every store on both halves of the videos, beside what needs no training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from compress.artifacts.atomic import write_bytes
from compress.evaluation.judges.names import title_of
from compress.reports.document import (
    Bullets,
    Cell,
    Chart,
    Column,
    Command,
    Commands,
    Document,
    Fact,
    Figure,
    Part,
    Provenance,
    Section,
    Table,
    cell,
    change,
    estimate,
    row,
)
from compress.reports.rounding import DELTA, count, figure, points
from compress.reports.svg import standalone
from compress.reports.terminal import print_document
from compress.reports.tradeoff.figures import CAPTION, charts
from compress.reports.tradeoff.findings import (
    COMPARED,
    METHOD,
    doubts,
    headline,
    measured_on,
    seeds_of,
    smaller,
    subject,
    told,
)
from compress.reports.tradeoff.judges import judges_section
from compress.reports.tradeoff.measured import NAMES
from compress.reports.tradeoff.points import points_table, size_of
from compress.reports.tradeoff.table import Half, Point, Rival, TradeoffTable
from compress.reports.writing import provenance, write_document

SCHEMA_VERSION = 1
DRAWING = "tradeoff.svg"
BEST = "*"
FOOT = (
    f"From the confirmation half; {BEST}: no other point has a higher GAP at equal or smaller size. "
    f"{DELTA}: against the baseline; over untrained: against the best store of equal or smaller size that "
    "needs no training; both in points with their paired 95 % interval. Worst judge: the one that says "
    "the worst of the point, against itself. The selection half and all judges are in the files."
)


def write_tradeoff(
    table: TradeoffTable, folder: Path, *, generated: str, command: str
) -> tuple[Path, Path, Path, Path]:
    """Write tradeoff.md, tradeoff.json, tradeoff.html and tradeoff.svg, each in one step.

    Returns: the paths, in this order.

    Raises:
        StorageError: the disk refused; older files stay as they were.
    """
    drawn = charts(table)
    document = page(table, provenance(generated, command, table.data.fingerprint), drawn)
    files = write_document(document, folder, "tradeoff")
    write_bytes(folder / DRAWING, standalone([chart.wide for chart in drawn]).encode("utf-8"))
    return *files, folder / DRAWING


def print_tradeoff(table: TradeoffTable, console: Console | None = None) -> None:
    """Print the figures of the confirmation half; see `print_document`."""
    print_document(page(table, Provenance("", "", {})), console)


def page(table: TradeoffTable, made: Provenance, drawn: Sequence[Chart] = ()) -> Document:
    """The report; `drawn` are its charts, of which the terminal shows none."""
    plots = Section("Quality against bytes", (Figure(tuple(drawn), CAPTION, file=DRAWING),))
    commands = tuple(Command(f"{point.name}, {point.title}", point.command) for point in table.points)
    return Document(
        kicker="Quality against bytes: compressed embeddings of every size",
        headline=headline(table),
        measured_on=measured_on(table),
        provenance=made,
        data=_data(table, made),
        summary=tuple(_summary(table)),
        cautions=(*table.failures, *doubts(table)),
        sections=(
            *([plots] if drawn else []),
            Section("The confirmation half", (_confirmation(table),), terminal=True),
            *judges_section(table),
            *_kinds(table),
            Section("The selection half", (_selection(table),)),
            *_seeds(table),
            Section("How to read this", (Bullets(METHOD),)),
            Section("Commands", (Commands(commands),)),
        ),
        foot=FOOT,
    )


def _summary(table: TradeoffTable) -> Iterator[Fact]:
    point = subject(table)
    if point is None:
        return
    yield Fact("Embedding", f"{point.dim} dimensions, {point.codec}", point.name)
    saved = f"{smaller(table, point)} times smaller than {count(table.baseline.bytes_per_video)}"
    yield Fact("Bytes per video", count(point.bytes_per_video), saved)
    for metric, name in NAMES.items():
        if metric in point.confirmation.figures:
            found, delta = point.confirmation.figures[metric], point.confirmation.delta.get(metric)
            yield Fact(name, figure(found.value), f"{told(delta)} points" if delta else "")


def _confirmation(table: TradeoffTable) -> Table:
    best = {point.name for point in table.front("gap")}
    columns = []
    for name, drop in zip(NAMES.values(), (0, 3, 6), strict=True):
        columns.append(Column(name, "[low, high]", drop=drop))
        columns.append(Column(f"{DELTA} {name}", "points", drop=max(drop - 1, 0)))
    for metric, drop in zip(COMPARED, (4, 7), strict=True):
        columns.append(Column(f"{NAMES[metric]} over untrained", "points", drop=drop))
    panel = any(point.worst("gap") for point in table.points)
    columns += [Column(f"{DELTA} GAP, worst judge", "points", drop=4)] if panel else []
    rows = [
        row(
            point.name + (f" {BEST}" if point.name in best else ""),
            *size_of(point),
            *_half(point.confirmation),
            *(_rival(point.rivals.get(metric)) for metric in COMPARED),
            *([_worst(point)] if panel else []),
            reference=point.role == "baseline",
        )
        for point in table.points
    ]
    return points_table(
        f"By bytes. {BEST}: no other point has a higher GAP at equal or smaller size. {DELTA} is point minus "
        "baseline in points; over untrained is point minus the best store of equal or smaller size that "
        "needs no training, chosen on the selection half. Each with its 95 % interval.",
        columns,
        rows,
    )


def _kinds(table: TradeoffTable) -> Iterator[Section]:
    """Each trained point beside the best of each kind of baseline."""
    kinds = sorted({family for point in table.points for family in point.of_families})
    rows = [
        row(
            point.name,
            *size_of(point),
            NAMES[metric],
            *(_rival(point.of_families.get(kind, {}).get(metric)) for kind in kinds),
        )
        for point in table.points
        for metric in NAMES
        if any(metric in point.of_families.get(kind, {}) for kind in kinds)
    ]
    if rows:
        caption = "Each trained point minus the best of each kind, of equal or smaller size, in points."
        columns = [Column("Figure", left=True), *(Column(f"Over {kind}") for kind in kinds)]
        yield Section("Against each kind of baseline", (points_table(caption, columns, rows),))


def _selection(table: TradeoffTable) -> Table:
    columns = []
    for name in NAMES.values():
        columns += [Column(name), Column(f"{DELTA} {name}")]
    rows = [
        row(point.name, *size_of(point), *_half(point.selection), reference=point.role == "baseline")
        for point in table.points
    ]
    return points_table(
        "The same figures on the selection half, which is used to choose the stores to compare with.",
        columns,
        rows,
    )


def _seeds(table: TradeoffTable) -> Iterator[Section]:
    rows = [
        row(
            point.name,
            *size_of(point),
            seeds_of(point),
            *(points(point.spread.get(metric)).lstrip("+") for metric in NAMES),
        )
        for point in table.points
        if point.heads > 1
    ]
    if rows:
        caption = "Half the range of the figures of all heads, in points, on the confirmation half."
        columns = [Column("Measured with", left=True), *map(Column, NAMES.values())]
        yield Section("Effect of another seed", (points_table(caption, columns, rows),))


def _half(half: Half) -> Iterator[Cell]:
    for metric in NAMES:
        found, delta = half.figures.get(metric), half.delta.get(metric)
        yield cell(*estimate(found))
        yield cell(*change(delta))


def _rival(rival: Rival | None) -> Cell:
    """How far a point is ahead of its rival, and of which."""
    return cell(*change(rival.ahead), Part(rival.name, "name")) if rival else cell()


def _worst(point: Point) -> Cell:
    worst = point.worst("gap")
    return cell(*change(worst[1]), Part(title_of(worst[0]), "name")) if worst else cell()


def _data(table: TradeoffTable, made: Provenance) -> Mapping[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "headline": headline(table),
        "data": measured_on(table),
        "baseline": table.baseline.name,
        "points": [asdict(point) for point in table.points],
        "fronts": {metric: [point.name for point in table.front(metric)] for metric in NAMES},
        "failures": list(table.failures),
        "method": list(METHOD),
        "provenance": made.as_json(),
    }
