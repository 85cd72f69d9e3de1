"""A table of trained models (2, 3 or QRNN) as a document: measured rows first, then what was not run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from compress.reports.classes.page import classes_sections
from compress.reports.classes.sections import ClassSections
from compress.reports.document import (
    Block,
    Bullets,
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
    Tone,
    cell,
    estimate,
    in_paper,
    named,
    plain_table,
    row,
)
from compress.reports.models.figures import gap_caption, gap_chart, gap_legend, order_chart
from compress.reports.models.findings import (
    METHOD,
    cautions,
    headline,
    measured_on,
    notes_on_rows,
    order_kept,
)
from compress.reports.models.table import Judgement, ModelLine, ModelTable
from compress.reports.rounding import bracket, count, duration, figure, millions, on_disk
from compress.reports.table_json import COLUMNS, measured_json, table_json

LEFT_OUT = ("baseline", "delta", "precision", "map_full")
"""Of a measured model, in the JSON file."""
TONES: dict[Judgement, Tone] = {
    Judgement.REPRODUCED: "holds",
    Judgement.BELOW: "short",
    Judgement.NOT_RUN: "strong",
}
FOOT = (
    "[low, high]: 95 % bootstrap interval over videos, not over training seeds. MAP skips classes without "
    "positives, the paper's counts them as 0. Verdict: GAP against the paper's, on its data only."
)


def models_page(table: ModelTable, provenance: Provenance, classes: ClassSections | None = None) -> Document:
    """The report; `classes` None leaves rare and frequent classes out."""
    notes = tuple(f"{rows}: {note}" for rows, note in notes_on_rows(table))
    runs = tuple(line.run for line in table.lines)
    commands = [
        Command(line.title, line.command, missing=line.model is None)
        for line in sorted(table.lines, key=lambda line: line.model is None)
    ]
    return Document(
        kicker="Trained models beside the figures that the papers print",
        headline=headline(table),
        measured_on=measured_on(table),
        summary=tuple(_summary(table)),
        cautions=tuple(cautions(table)),
        sections=(
            Section("Results", (_results(table),), terminal=True),
            Section("Which model is best?", _charts(table)),
            *(() if classes is None else classes_sections(classes)),
            Section("Details", (_details(table),) if table.measured else ()),
            Section("Notes on rows", (Bullets(notes, runs),) if notes else (), terminal=True),
            Section("How to read this", (Bullets(METHOD),)),
            Section("Commands", (Commands(tuple(commands)),)),
        ),
        foot=FOOT,
        provenance=provenance,
        data=_data(table, provenance, classes),
    )


def _summary(table: ModelTable) -> Iterable[Fact]:
    if not table.measured:
        return
    line, best = max(table.measured, key=lambda one: one[1].figures.gap.value)
    gap = best.figures.gap
    yield Fact("Highest GAP", figure(gap.value), f"{line.run}, {bracket(gap)}")
    done = sum(one.model is not None for one in table.paper)
    yield Fact("Printed rows", f"{done} of {len(table.paper)}", "measured here")
    agreeing, pairs = order_kept(table)
    if pairs:
        yield Fact("Order by GAP", f"{agreeing} of {pairs}", "pairs of rows are ordered as in the paper")


def _results(table: ModelTable) -> Table:
    # The papers' columns, in their order.
    metrics = [Column(metric.title, "[low, high]\nthe paper", drop=i) for i, metric in enumerate(COLUMNS)]
    columns = [
        Column("Model", "run", left=True),
        Column("Encoder\nparameters", drop=7),
        Column("Head\nparameters", drop=8),
        *reversed(metrics),
        Column("Against\nthe paper"),
        Column("Epochs", drop=5),
        Column("Training\ntime", drop=6),
    ]
    groups = [(title, [line for line in lines if line.model]) for title, lines in table.groups]
    groups.append(("Not run", [line for line in table.lines if line.model is None]))
    return Table(
        "Below each figure its 95 % interval, and the paper's figure.",
        tuple(columns),
        tuple(Group(title, tuple(map(_row, lines))) for title, lines in groups),
    )


def _row(line: ModelLine) -> Row:
    model, parameters = line.model, line.model.parameters if line.model else {}
    training = model.training if model else None
    figures = []
    for metric in reversed(COLUMNS):
        ours = estimate(model.figures.get(metric.name) if model else None)
        figures.append(cell(*ours, in_paper(getattr(line.published, metric.name, None))))
    return row(
        named(line.title, line.run, synthetic_frames=model is not None and model.data.synthetic_frames),
        millions(parameters["encoder"]) if "encoder" in parameters else None,
        millions(parameters["head"]) if "head" in parameters else None,
        *figures,
        Part(str(line.judgement), TONES.get(line.judgement, "quiet")),
        str(training.epochs) if training else None,
        duration(training.seconds if training else None),
    )


def _charts(table: ModelTable) -> tuple[Block, ...]:
    charts = tuple(chart for chart in (gap_chart(table), order_chart(table)) if chart)
    return (Figure(charts, gap_caption(table), tuple(gap_legend(table))),) if charts else ()


def _details(table: ModelTable) -> Table:
    rows = []
    for line, model in table.measured:
        as_zero, training = model.figures.get("map_with_empty_as_zero"), model.training
        rows.append(
            row(
                line.run,
                None if model.dim is None else str(model.dim),
                on_disk(model.model_bytes),
                millions(model.parameters.get("side_heads")),
                figure(as_zero.value if as_zero else None),
                str(training.best_epoch) if training else None,
                count(training.videos) if training else None,
                str(training.seed) if training else None,
            )
        )
    titles = ("Run", "Embedding size", "Model on disk", "Side heads' parameters", "MAP with empty as 0")
    return plain_table(
        "Sizes of the embedding, of the model and of its side heads (used in training only), MAP in the "
        "paper's variant, and the training.",
        (*titles, "Kept epoch", "Training videos", "Seed"),
        rows,
    )


def _data(table: ModelTable, provenance: Provenance, classes: ClassSections | None) -> dict[str, Any]:
    agreeing, pairs = order_kept(table)
    found = table_json(
        headline=headline(table),
        measured_on=measured_on(table),
        cautions=cautions(table),
        groups=[(title, [_line(line) for line in lines]) for title, lines in table.groups],
        classes=classes,
        method=METHOD,
        provenance=provenance,
    )
    return found | {"table": table.name, "order": {"pairs": pairs, "as_in_the_paper": agreeing}}


def _line(line: ModelLine) -> dict[str, Any]:
    return {
        "title": line.title,
        "run": line.run,
        "judgement": str(line.judgement),
        "tolerance": line.wanted.tolerance if line.published and line.wanted else None,
        "source": line.wanted.source if line.published and line.wanted else None,
        "published": asdict(line.published) if line.published else None,
        "measured": measured_json(line.model, LEFT_OUT) if line.model else None,
        "notes": list(line.notes),
        "command": line.command,
    }
