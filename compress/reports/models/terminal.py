"""A table of models in the terminal: the paper's figure below ours."""

from __future__ import annotations

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from compress.metrics import Interval
from compress.reports.models.markdown import METRICS
from compress.reports.models.sentences import model_cautions, model_data_line, model_headline, notes_on_rows
from compress.reports.models.table import Judgement, ModelLine, ModelTable
from compress.reports.terminal_page import empty_table, not_run, print_page
from compress.reports.wording import NONE, bracket, duration, figure, millions

WIDTH = 104
COLOURS = {Judgement.REPRODUCED: "green", Judgement.BELOW: "red", Judgement.NOT_RUN: "bold"}
MODEL, PARAMETERS, TRAINING = "Model\nrun", "Encoder\nhead", "Epochs\nCPU time\nverdict"
COLUMNS = {name: f"{title}\n[low, high]\nthe paper" for name, title in METRICS.items()}
OPTIONAL = {COLUMNS["perr"]: 104, COLUMNS["hit_at_one"]: 89}  # left out where there are fewer columns
FOOT = (
    "[low, high]: 95 % bootstrap interval over videos, not over training seeds. MAP skips classes without "
    "positives, the paper's counts them as 0. Verdict: GAP against the paper's, on its data only."
)


def print_models(table: ModelTable, console: Console | None = None) -> None:
    """Print the report; a console that is not a terminal gets plain text of 104 columns."""
    print_page(lambda width, ruled: models_to_terminal(table, width=width, ruled=ruled), console, WIDTH)


def models_to_terminal(table: ModelTable, *, width: int = WIDTH, ruled: bool = True) -> RenderableType:
    """The report for rich.

    Args:
        width: columns to fit; below 104 and 89 PERR and Hit@1 go.
        ruled: box-drawing rules; without them the text is plain.
    """
    head = [Text(model_headline(table), style="bold"), Text(model_data_line(table)), Text("")]
    parts: list[RenderableType] = [*head, _table(table, width, ruled)]
    parts += [Text(f"Note: {text}") for text in model_cautions(table)]
    parts += [Text(f"Note on {rows}: {note}") for rows, note in notes_on_rows(table)]
    parts.append(Text(FOOT))
    for line in table.lines:
        if line.model is None:
            parts += not_run(line.title, line.command)
    return Group(*parts)


def _table(table: ModelTable, width: int, ruled: bool) -> Table:
    columns = [MODEL, PARAMETERS, *COLUMNS.values(), TRAINING]
    shown = [name for name in columns if width >= OPTIONAL.get(name, 0)]
    drawn = empty_table(ruled)
    for name in shown:
        if name == MODEL:
            drawn.add_column(Text(name), min_width=17, overflow="fold")
        else:
            drawn.add_column(Text(name), justify="right", no_wrap=True)
    for title, lines in table.groups:
        drawn.add_row(Text(title, style="bold"))
        for line in lines:
            cells = _cells(line)
            drawn.add_row(*(cells[name] for name in shown))
    return drawn


def _cells(line: ModelLine) -> dict[str, Text]:
    model, paper = line.model, line.published
    parameters = model.parameters if model else {}
    training = model.training if model else None
    counts = "\n".join(millions(parameters.get(name)) for name in ("encoder", "head")) if model else NONE
    spent = f"{training.epochs}\n{duration(training.seconds)}\n" if training else ""
    return {
        MODEL: Text(f"{line.title}\n{line.run}"),
        PARAMETERS: Text(counts),
        **{
            column: _figures(
                getattr(model.figures, name) if model else None, getattr(paper, name) if paper else None
            )
            for name, column in COLUMNS.items()
        },
        TRAINING: Text.assemble(spent, (str(line.judgement), COLOURS.get(line.judgement, ""))),
    }


def _figures(found: Interval | None, paper: float | None) -> Text:
    ours = NONE if found is None else f"{figure(found.value)}\n{bracket(found)}"
    return Text(f"{ours}\n{figure(paper)}")
