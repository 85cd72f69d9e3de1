"""Table 4 as a document: the reader's own rows first, then what was not run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from compress.evaluation.row import Row as MeasuredRow
from compress.evaluation.verdicts import Verdict, videos_only
from compress.metrics import Interval
from compress.papers import published
from compress.reports.classes.page import classes_sections
from compress.reports.classes.sections import ClassSections
from compress.reports.document import (
    Bullets,
    Cell,
    Column,
    Command,
    Commands,
    Document,
    Fact,
    Group,
    Part,
    Provenance,
    Row,
    Section,
    Table,
    Tone,
    cell,
    change,
    estimate,
    in_paper,
    named,
    plain_table,
    row,
)
from compress.reports.rounding import (
    DELTA,
    count,
    figure,
    on_disk,
    percent,
    points,
    saved,
)
from compress.reports.table_4.figures import forest_figure, tradeoff_figure
from compress.reports.table_4.findings import cautions, frames_needed, headline, measured_on, method
from compress.reports.table_4.judges import agreement, disagreement, judges_section
from compress.reports.table_4.retrieval import retrieval_section, row_name
from compress.reports.table_4.table import JUDGED, Line, Table4
from compress.reports.table_json import COLUMNS, measured_json, table_json

TONES: dict[Verdict, Tone] = {
    Verdict.HOLDS: "holds",
    Verdict.WITHIN_NOISE: "noise",
    Verdict.FALLS_SHORT: "short",
    Verdict.NOT_CONVERGED: "strong",
    Verdict.MEASURE_AGAIN: "strong",
    Verdict.CHOSEN_ON_SEEN: "strong",
    Verdict.NOT_RUN: "strong",
}
FOOT = (
    "[low, high]: 95 % bootstrap interval over videos and the seeds of the judges, or over videos only; "
    "differences are paired, in points, best judge against best judge. MAP skips classes without "
    "positives."
)


def table4_page(
    table: Table4, provenance: Provenance, classes: ClassSections | None = None, *, paper: bool | None = None
) -> Document:
    """The report.

    Args:
        table: rows and verdicts.
        provenance: of the report.
        classes: rare and frequent classes; None leaves them out.
        paper: whether the paper's figures and its rows that were not run are shown; None shows them where
            the data are YouTube-8M. The JSON file always has them.
    """
    beside = table.on_youtube8m if paper is None else paper
    shown = [line for line in table.lines if beside or line.row or line not in table.paper]
    commands = tuple(_command(line) for line in sorted(shown, key=lambda line: line.row is None))
    forests = forest_figure(table, beside)
    return Document(
        kicker="Compressed embeddings beside the original features"
        + (" (Table 4 of the paper)" if beside else ""),
        headline=headline(table),
        measured_on=measured_on(table),
        summary=tuple(_summary(table)),
        cautions=tuple(cautions(table)),
        sections=(
            Section("Results", (_results(table, beside),), terminal=True),
            *judges_section(table),
            Section("Was anything lost?", (forests,) if forests else ()),
            Section("Quality against bytes", (tradeoff_figure(table),)),
            *(() if classes is None else classes_sections(classes)),
            *retrieval_section(table),
            Section("Details", (_details(table),)),
            Section("Notes on rows", _notes(table)),
            Section("How to read this", (Bullets(method(paper=beside)),)),
            Section("Commands", (Commands(commands),)),
        ),
        foot=FOOT,
        provenance=provenance,
        data=_data(table, provenance, classes, method(paper=beside)),
    )


def _summary(table: Table4) -> Iterable[Fact]:
    if table.subject is None:
        return
    (line, row), original = table.subject, table.baseline
    yield Fact("Embedding", f"{row.dim} dimensions", row.row)
    of_original = ""
    if original is not None:
        share = percent(row.bytes_per_video / original.bytes_per_video)
        of_original = f"{share} of {count(original.bytes_per_video)}"
    yield Fact("Bytes per video", count(row.bytes_per_video), of_original)
    for metric in COLUMNS:
        if metric.name in JUDGED:
            found: Interval = getattr(row.figures, metric.name)
            delta: Interval | None = getattr(row.delta, metric.name) if row.delta else None
            verdict = line.verdict(metric.name)
            detail = f"{points(delta.value)} points, {verdict}" if delta else str(verdict)
            yield Fact(metric.title, figure(found.value), detail, TONES.get(verdict, ""))
    if (judges := agreement(line)) is not None:
        yield Fact("Judges", *judges)
    if row.retrieval is not None and row.retrieval.neighbour_recall_at_10 is not None:
        found_again = percent(row.retrieval.neighbour_recall_at_10)
        yield Fact("Neighbours", found_again, "of the original's 10 nearest found again")


def _results(table: Table4, paper: bool) -> Table:
    columns = [
        Column("Model", left=True),
        Column("Dims", drop=2),
        Column("Bytes"),
        Column("Saved,\ndims", drop=6),
        Column("Saved,\nbytes", drop=5),
    ]
    for metric in COLUMNS:
        if metric.name not in JUDGED:
            columns.append(Column(metric.title, drop=4))
        else:
            columns.append(Column(metric.title, "[low, high]", drop=0 if metric.name == "gap" else 3))
            columns.append(Column(f"{DELTA} {metric.title}", "points\nverdict"))
    own = [line for line in table.lines if line.row and line not in table.controls]
    controls = [line for line in table.controls if line.row]
    missing = [line for line in table.lines if line.row is None and (paper or line not in table.paper)]
    groups = (("Embeddings", own), ("Controls", controls), ("Not run", missing))
    beside = ", beside the paper's figures" if paper else ""
    return Table(
        f"Size and figures of each row{beside}. Below each figure its 95 % interval; {DELTA} is row minus "
        "baseline in points, with the verdict of its paired interval.",
        tuple(columns),
        tuple(Group(title, tuple(_row(line, table, paper) for line in lines)) for title, lines in groups),
    )


def _row(line: Line, table: Table4, paper: bool) -> Row:
    one, printed = line.row, line.published if paper else None
    # Another width than the paper's original: its sizes say nothing about these data.
    fits = one is not None or table.baseline is None or table.baseline.dim == published().baseline.size
    cells = [
        named(
            line.title,
            one.row if one else None,
            synthetic_frames=one is not None and one.data.synthetic_frames,
        ),
        cell(count(line.dim)),
        cell(count(one.bytes_per_video) if one else None),
        cell(
            saved(line.dims_saved) if fits else None, in_paper(printed.size_saved if printed else None, saved)
        ),
        cell(saved(line.bytes_saved)),
    ]
    for metric in COLUMNS:
        found = estimate(one.figures.get(metric.name)) if one else ()
        # The others are not judged: their intervals are in the JSON file.
        found = found if metric.name in JUDGED else found[:1]
        cells.append(cell(*found, in_paper(getattr(printed, metric.name, None))))
        if metric.name in JUDGED:
            delta = printed.delta_gap_points if printed and metric.name == "gap" else None
            cells.append(
                cell(*_difference(line, metric.name), in_paper(delta, lambda value: points(value / 100, 1)))
            )
    return Row(tuple(cells), reference=one is not None and one.role == "baseline")


def _difference(line: Line, metric: str) -> Cell:
    verdict = line.verdict(metric)
    delta = line.row.delta if line.row else None
    compared = [one for one in (line.row, line.baseline) if one is not None]
    only = delta is not None and videos_only(*compared)
    return (
        *change(getattr(delta, metric) if delta else None),
        *([Part("videos only", "quiet")] if only else []),
        Part(str(verdict), TONES.get(verdict, "quiet")),
    )


def _details(table: Table4) -> Table:
    titles = ("Row", "Codec", "MAP with empty as 0", "Joint head: GAP")
    sizes = ("Encoder parameters", "Encoder on disk", "Head parameters")
    rows = []
    for _, one in table.measured:
        as_zero, parts = one.figures.get("map_with_empty_as_zero"), one.parameters
        rows.append(
            row(
                row_name(one),
                one.codec,
                figure(as_zero.value if as_zero else None),
                figure(one.joint.get("gap")),
                count(parts["encoder"]) if "encoder" in parts else None,
                on_disk(one.encoder_bytes),
                count(parts["head"]) if "head" in parts else None,
            )
        )
    return plain_table(
        "How each row is stored, its MAP with classes without positives as 0, and the head that was trained "
        "together with the encoder.",
        (*titles, *sizes),
        rows,
    )


def _notes(table: Table4) -> tuple[Bullets, ...]:
    notes = tuple(f"{row.row}: {note}" for _, row in table.measured for note in row.notes)
    return (Bullets(notes, tuple(row.row for _, row in table.measured)),) if notes else ()


def _command(line: Line) -> Command:
    return Command(line.title, line.command, frames_needed(line), missing=line.row is None)


def _data(
    table: Table4, provenance: Provenance, classes: ClassSections | None, how: tuple[str, ...]
) -> dict[str, Any]:
    groups = (
        ("Paper's Table 4", table.paper),
        ("Controls", table.controls),
        ("Other encoders", table.others),
    )
    found = table_json(
        headline=headline(table),
        measured_on=measured_on(table),
        cautions=cautions(table),
        groups=[(title, [_line(line) for line in lines]) for title, lines in groups if lines],
        classes=classes,
        method=how,
        provenance=provenance,
    )
    return found | {"baseline": table.baseline.row if table.baseline else None}


def _line(line: Line) -> dict[str, Any]:
    return {
        "title": line.title,
        "dim": line.dim,
        "bytes_per_video": line.row.bytes_per_video if line.row else None,
        "dims_saved": line.dims_saved,
        "bytes_saved": line.bytes_saved,
        **{f"{metric}_verdict": str(line.verdict(metric)) for metric in JUDGED},
        **{f"{metric}_disagreement": disagreement(line, metric) for metric in JUDGED},
        "no_verdict_because": line.doubt,
        "command": line.command,
        "published": asdict(line.published) if line.published else None,
        "measured": _measured_json(line.row) if line.row else None,
    }


def _measured_json(row: MeasuredRow) -> dict[str, Any]:
    found = measured_json(row, ("halves", "map_full"))
    found["joint"].pop("map_with_empty_as_zero", None)
    if found["retrieval"] is not None:
        del found["retrieval"]["queries_from"]
    return found
