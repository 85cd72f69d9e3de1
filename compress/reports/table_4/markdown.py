"""The report as Markdown (GitHub tables)."""

from __future__ import annotations

from compress.metrics import Interval
from compress.reports.classes.markdown import class_parts
from compress.reports.classes.sections import ClassSections
from compress.reports.markdown_blocks import command_block, provenance_blocks
from compress.reports.markdown_table import escape, to_table
from compress.reports.provenance import Provenance
from compress.reports.table_4.cautions import cautions
from compress.reports.table_4.sentences import METHOD, data_line, frames_needed, headline
from compress.reports.table_4.table import Line, Table4
from compress.reports.wording import DELTA, NONE, bracket, figure, on_disk, points, points_bracket, saved

HEADER = (
    *("Model", "Size (dims)", "Bytes a video", "GAP", f"{DELTA} GAP (points)", "GAP verdict"),
    *("Saved (dims)", "Saved (bytes)", "MAP", f"{DELTA} MAP (points)", "MAP verdict", "PERR", "Hit@1"),
    *("Paper: GAP", f"Paper: {DELTA} GAP", "Paper: saved", "Paper: MAP", "Paper: PERR", "Paper: Hit@1"),
)
RETRIEVAL_HEADER = ("Row", "Queries", "Label precision@10", "MAP@10", "nDCG@10", "Neighbour recall@10")
DETAIL_HEADER = (
    *("Row", "Codec", "MAP with empty as 0", "Joint head: GAP"),
    *("Encoder parameters", "Encoder on disk", "Head parameters"),
)


def to_markdown(table: Table4, provenance: Provenance, classes: ClassSections | None = None) -> str:
    """The whole report; ends with one newline. Text from rows is escaped: it cannot become markup."""
    parts = [f"# {escape(headline(table))}", escape(data_line(table))]
    parts += [f"> **Note.** {escape(text)}" for text in cautions(table)]
    for title, lines in table.groups:
        parts += [f"## {title}", to_table(HEADER, [_cells(line) for line in lines])]
    retrieval = _retrieval(table)
    if retrieval:
        parts += ["## Retrieval", to_table(RETRIEVAL_HEADER, retrieval)]
    parts += [] if classes is None else class_parts(classes)
    parts += ["## Details", to_table(DETAIL_HEADER, _details(table))]
    parts += _notes(table)
    parts += ["## How to read this", "\n".join(f"- {escape(text)}" for text in METHOD)]
    blocks = [command_block(line.title + frames_needed(line), line.command) for line in table.lines]
    parts += ["## Commands", "\n\n".join(blocks)]
    parts += ["## Provenance", *provenance_blocks(provenance)]
    return "\n\n".join(parts) + "\n"


def _cells(line: Line) -> list[str]:
    paper = line.published
    of_paper = [
        figure(paper.gap if paper else None),
        points(None if paper is None or paper.delta_gap_points is None else paper.delta_gap_points / 100, 1),
        saved(paper.size_saved if paper else None),
        figure(paper.map if paper else None),
        figure(paper.perr if paper else None),
        figure(paper.hit_at_one if paper else None),
    ]
    return [escape(line.title), str(line.dim), *_measured(line), *of_paper]


def _measured(line: Line) -> list[str]:
    row = line.row
    if row is None:
        verdicts = {"GAP verdict": str(line.gap_verdict), "MAP verdict": str(line.map_verdict)}
        known = {"Saved (dims)": saved(line.dims_saved), **verdicts}
        return [known.get(name, NONE) for name in HEADER[2:13]]
    found, delta = row.figures, row.delta
    return [
        str(row.bytes_per_video),
        f"{figure(found.gap.value)} {bracket(found.gap)}",
        _difference(delta.gap if delta else None),
        str(line.gap_verdict),
        saved(line.dims_saved),
        saved(line.bytes_saved),
        f"{figure(found.map.value)} {bracket(found.map)}",
        _difference(delta.map if delta else None),
        str(line.map_verdict),
        figure(found.perr.value),
        figure(found.hit_at_one.value),
    ]


def _difference(estimate: Interval | None) -> str:
    return NONE if estimate is None else f"{points(estimate.value)} {points_bracket(estimate)}"


def _retrieval(table: Table4) -> list[list[str]]:
    return [
        [
            escape(row.row),
            str(row.retrieval.queries),
            figure(row.retrieval.label_precision_at_10),
            figure(row.retrieval.map_at_10),
            figure(row.retrieval.ndcg_at_10),
            figure(row.retrieval.neighbour_recall_at_10),
        ]
        for _, row in table.measured
        if row.retrieval is not None
    ]


def _details(table: Table4) -> list[list[str]]:
    return [
        [
            escape(row.row),
            escape(row.codec),
            figure(as_zero.value if as_zero else None),
            figure(row.joint.get("gap")),
            f"{row.parameters['encoder']:,}" if "encoder" in row.parameters else NONE,
            on_disk(row.encoder_bytes),
            f"{row.parameters['head']:,}" if "head" in row.parameters else NONE,
        ]
        for _, row in table.measured
        for as_zero in (row.figures.get("map_with_empty_as_zero"),)
    ]


def _notes(table: Table4) -> list[str]:
    notes = [f"- {escape(row.row)}: {escape(note)}" for _, row in table.measured for note in row.notes]
    return ["## Notes on rows", "\n".join(notes)] if notes else []
