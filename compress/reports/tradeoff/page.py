"""The trade-off as a document: every store on both halves of the videos, beside what needs no training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from compress.artifacts.atomic import write_bytes
from compress.metrics import Interval
from compress.reports.document import (
    FILES,
    Bullets,
    Cell,
    Chart,
    Column,
    Command,
    Commands,
    Document,
    Fact,
    Figure,
    Group,
    Part,
    Provenance,
    Row,
    Section,
    Table,
    cell,
    change,
    estimate,
    row,
)
from compress.reports.rounding import DELTA, blended, count, figure, points, points_bracket, size
from compress.reports.svg import standalone
from compress.reports.terminal import print_document
from compress.reports.tradeoff.figures import CAPTION, charts
from compress.reports.tradeoff.measured import NAMES
from compress.reports.tradeoff.table import Half, Point, Rival, TradeoffTable
from compress.reports.writing import provenance, write_document

SCHEMA_VERSION = 1
DRAWING = "tradeoff.svg"
COMPARED = ("gap", "map")  # beside what needs no training
BEST = "*"
METHOD = (
    "Every point is a store of embeddings. Its bytes per video are counted exactly. Its GAP (global average "
    "precision of the 20 highest scores per video) and MAP (mean average precision over classes; classes "
    "without positives are skipped) are those of a fresh head that saw nothing but the decoded codes. Label "
    "precision@10 is the share of the 10 nearest training videos that share a label with a validation video.",
    "The validation videos are split into two halves by a hash of their ids. Figures are from the "
    "confirmation half unless stated otherwise. Whatever is chosen by its figures, such as the best baseline "
    "of equal or smaller size, is chosen on the selection half, so that the figures shown had no part in the "
    "choice.",
    f"A difference ({DELTA}) is point minus baseline in points (1 point is 0.01), with its 95 % bootstrap "
    "interval, paired: both on the same resampled videos. With several heads the figures are averaged, also "
    "within each resample. Intervals cover the choice of videos; the effect of another seed is shown "
    "separately. Intervals of MAP are somewhat too narrow where many classes are rare; `compress select` has "
    "more careful bounds.",
    "An encoder whose epoch was chosen by its GAP on the validation videos (its notes, in the JSON file, say "
    "so) has a small advantage on both halves; stores that need no training have none.",
    "Over untrained: point minus the best store of equal or smaller size that needs no training (the "
    "original in a codec, PCA, a random projection).",
    "Lines are steps: a byte budget between two sizes pays for the smaller one.",
)
FOOT = (
    f"From the confirmation half; {BEST}: no other point has a higher GAP at equal or smaller size. {DELTA}: "
    "against the baseline; over untrained: against the best store of equal or smaller size that needs no "
    "training; both in points with their paired 95 % interval. The selection half is in the files."
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
        cautions=table.failures,
        sections=(
            *([plots] if drawn else []),
            Section("The confirmation half", (_confirmation(table),), terminal=True),
            *_kinds(table),
            Section("The selection half", (_selection(table),)),
            *_seeds(table),
            Section("How to read this", (Bullets(METHOD),)),
            Section("Commands", (Commands(commands),)),
        ),
        foot=FOOT,
    )


def subject(table: TradeoffTable) -> Point | None:
    """The smallest trained point that keeps GAP, or else the best one; chosen on the selection half."""
    learned = [p for p in table.points if p.role == "encoder" and "gap" in p.confirmation.delta]
    holding = [point for point in learned if point.selection.delta["gap"].low >= 0]
    best = max(learned, key=lambda p: p.selection.delta["gap"].value, default=None)
    return holding[0] if holding else best


def headline(table: TradeoffTable) -> str:
    """One sentence about the subject, with figures of the confirmation half."""
    point = subject(table)
    if point is None:
        return "No trained embedding has been measured yet"
    gap, mean = (_told(point.confirmation.delta[metric]) for metric in COMPARED)
    bytes_per_video = (
        f"{count(point.bytes_per_video)} bytes per video, {_smaller(table, point)} times smaller"
    )
    return f"{bytes_per_video}: GAP {gap} points, MAP {mean}"


def measured_on(table: TradeoffTable) -> str:
    """What everything was measured on."""
    data, how, base = table.data, table.head_training, table.baseline
    epochs = f"{size(how.epochs)} epoch{'' if how.epochs == 1 else 's'}"
    return (
        f"{data.source}: {count(base.confirmation.videos)} validation videos in the confirmation half, "
        f"{count(base.selection.videos)} in the selection half, {count(data.num_classes)} classes. Fresh "
        f"heads trained on {count(data.train_videos)} videos, {epochs}, batch {count(how.batch_size)}"
        f"{blended(how)}. Baseline: {base.name}, {count(base.bytes_per_video)} bytes per video, "
        f"{_heads(base)}."
    )


def _told(found: Interval) -> str:
    """A difference in points with its interval: +0.80 [+0.21, +1.39]."""
    return f"{points(found.value)} {points_bracket(found)}"


def _smaller(table: TradeoffTable, point: Point) -> str:
    ratio = table.baseline.bytes_per_video / point.bytes_per_video
    return f"{ratio:.3g}" if ratio < 1000 else count(round(ratio))


def _heads(point: Point) -> str:
    """How often a point was measured: 3 heads, on 3 encoders."""
    trained = f" on {point.encoders} encoders" if point.encoders > 1 else ""
    return f"{point.heads} head{'' if point.heads == 1 else 's'}{trained}"


def _summary(table: TradeoffTable) -> Iterator[Fact]:
    point = subject(table)
    if point is None:
        return
    yield Fact("Embedding", f"{point.dim} dimensions, {point.codec}", point.name)
    smaller = f"{_smaller(table, point)} times smaller than {count(table.baseline.bytes_per_video)}"
    yield Fact("Bytes per video", count(point.bytes_per_video), smaller)
    for metric, name in NAMES.items():
        if metric in point.confirmation.figures:
            found, delta = point.confirmation.figures[metric], point.confirmation.delta.get(metric)
            yield Fact(name, figure(found.value), f"{_told(delta)} points" if delta else "")


def _confirmation(table: TradeoffTable) -> Table:
    best = {point.name for point in table.front("gap")}
    columns = []
    for name, drop in zip(NAMES.values(), (0, 3, 6), strict=True):
        columns.append(Column(name, "[low, high]", drop=drop))
        columns.append(Column(f"{DELTA} {name}", "points", drop=max(drop - 1, 0)))
    for metric, drop in zip(COMPARED, (4, 7), strict=True):
        columns.append(Column(f"{NAMES[metric]} over untrained", "points", drop=drop))
    rows = [
        row(
            point.name + (f" {BEST}" if point.name in best else ""),
            *_size(point),
            *_half(point.confirmation),
            *(_rival(point.rivals.get(metric)) for metric in COMPARED),
            reference=point.role == "baseline",
        )
        for point in table.points
    ]
    return _table(
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
            *_size(point),
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
        yield Section("Against each kind of baseline", (_table(caption, columns, rows),))


def _selection(table: TradeoffTable) -> Table:
    columns = []
    for name in NAMES.values():
        columns += [Column(name), Column(f"{DELTA} {name}")]
    rows = [
        row(point.name, *_size(point), *_half(point.selection), reference=point.role == "baseline")
        for point in table.points
    ]
    return _table(
        "The same figures on the selection half, which is used to choose the stores to compare with.",
        columns,
        rows,
    )


def _seeds(table: TradeoffTable) -> Iterator[Section]:
    rows = [
        row(
            point.name,
            *_size(point),
            _heads(point),
            *(points(point.spread.get(metric)).lstrip("+") for metric in NAMES),
        )
        for point in table.points
        if point.heads > 1
    ]
    if rows:
        caption = "Half the range of the figures of all heads, in points, on the confirmation half."
        columns = [Column("Measured with", left=True), *map(Column, NAMES.values())]
        yield Section("Effect of another seed", (_table(caption, columns, rows),))


def _table(caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> Table:
    """A table of points; its rows begin with the name of the point and its `_size`."""
    sizes = (Column("Dims", shown=FILES), Column("Codec", left=True, shown=FILES))
    return Table(
        caption, (Column("Point", left=True), Column("Bytes"), *sizes, *columns), (Group("", tuple(rows)),)
    )


def _size(point: Point) -> tuple[str, ...]:
    return count(point.bytes_per_video), count(point.dim), point.codec


def _half(half: Half) -> Iterator[Cell]:
    for metric in NAMES:
        found, delta = half.figures.get(metric), half.delta.get(metric)
        yield cell(*estimate(found))
        yield cell(*change(delta))


def _rival(rival: Rival | None) -> Cell:
    """How far a point is ahead of its rival, and of which."""
    return cell(*change(rival.ahead), Part(rival.name, "name")) if rival else cell()


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
