"""A table of models as Markdown (GitHub tables)."""

from __future__ import annotations

from compress.metrics import Interval
from compress.reports.classes.markdown import class_parts
from compress.reports.classes.sections import ClassSections
from compress.reports.markdown_blocks import command_block, provenance_blocks
from compress.reports.markdown_table import escape, to_table
from compress.reports.models.sentences import (
    METHOD,
    model_cautions,
    model_data_line,
    model_headline,
    notes_on_rows,
)
from compress.reports.models.table import ModelLine, ModelTable
from compress.reports.provenance import Provenance
from compress.reports.wording import NONE, bracket, count, duration, figure, millions, on_disk

METRICS = {"hit_at_one": "Hit@1", "perr": "PERR", "map": "MAP", "gap": "GAP"}
"""The papers' columns, in their order."""
HEADER = (
    *("Model", "Run", "Encoder parameters", "Head parameters", *METRICS.values()),
    *(*(f"Paper: {name}" for name in METRICS.values()), "Against the paper", "Epochs", "Training time"),
)
DETAIL_HEADER = (
    *("Run", "Embedding (dims)", "Model on disk", "Parameters of side heads", "MAP with empty as 0"),
    *("Kept epoch", "Training videos", "Seed"),
)


def models_to_markdown(
    table: ModelTable, provenance: Provenance, classes: ClassSections | None = None
) -> str:
    """The whole report; ends with one newline. Text from rows is escaped: it cannot become markup."""
    parts = [f"# {escape(model_headline(table))}", escape(model_data_line(table))]
    parts += [f"> **Note.** {escape(text)}" for text in model_cautions(table)]
    for title, lines in table.groups:
        parts += [f"## {title}", to_table(HEADER, [_cells(line) for line in lines])]
    parts += [] if classes is None else class_parts(classes)
    parts += ["## Details", to_table(DETAIL_HEADER, _details(table))] if table.measured else []
    parts += _notes(table)
    parts += ["## How to read this", "\n".join(f"- {escape(text)}" for text in METHOD)]
    parts += ["## Commands", *(command_block(line.title, line.command) for line in table.lines)]
    parts += ["## Provenance", *provenance_blocks(provenance)]
    return "\n\n".join(parts) + "\n"


def _cells(line: ModelLine) -> list[str]:
    model, paper = line.model, line.published
    parameters = model.parameters if model else {}
    training = model.training if model else None
    return [
        escape(line.title),
        escape(line.run),
        millions(parameters.get("encoder")),
        millions(parameters.get("head")),
        *(_estimate(getattr(model.figures, name) if model else None) for name in METRICS),
        *(figure(getattr(paper, name) if paper else None) for name in METRICS),
        str(line.judgement),
        str(training.epochs) if training else NONE,
        duration(training.seconds if training else None),
    ]


def _estimate(found: Interval | None) -> str:
    return NONE if found is None else f"{figure(found.value)} {bracket(found)}"


def _details(table: ModelTable) -> list[list[str]]:
    details = []
    for line, model in table.measured:
        as_zero, training = model.figures.get("map_with_empty_as_zero"), model.training
        details.append(
            [
                escape(line.run),
                NONE if model.dim is None else str(model.dim),
                on_disk(model.model_bytes),
                millions(model.parameters.get("side_heads")),
                figure(as_zero.value if as_zero else None),
                str(training.best_epoch) if training else NONE,
                count(training.videos) if training else NONE,
                str(training.seed) if training else NONE,
            ]
        )
    return details


def _notes(table: ModelTable) -> list[str]:
    notes = [f"- {escape(rows)}: {escape(note)}" for rows, note in notes_on_rows(table)]
    return ["## Notes on rows", "\n".join(notes)] if notes else []
