"""`compress report`: from all evaluations of a workspace to the papers' tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from compress.artifacts.one_state import one_state
from compress.evaluation.models.row import load_models
from compress.evaluation.scores import evaluations
from compress.jobs.classes import vocabulary_of
from compress.jobs.paper_runs import stand_in_notes, stand_ins, unlike_runs
from compress.progress import Reporter, silent
from compress.reports import (
    Document,
    chosen_models,
    chosen_rows,
    class_sections,
    load_rows,
    model_table,
    models_page,
    provenance,
    table4,
    table4_page,
    write_document,
)
from compress.workspace import Workspace


@dataclass(frozen=True)
class Reported:
    """A report, and the files that were written."""

    document: Document
    markdown: Path
    json: Path
    html: Path


def report_tables(
    workspace: Workspace,
    names: Sequence[str],
    *,
    output: Path | None = None,
    notes: Mapping[str, Sequence[str]] | None = None,
    failures: Sequence[str] = (),
    paper: bool | None = None,
    report: Reporter = silent,
) -> dict[str, Reported]:
    """Write the reports of some tables.

    Args:
        workspace: whose evaluations are read.
        names: of "2", "3", "qrnn" and "4". Table 4 is left out while nothing of it is measured, if there is
            something else to tell: other tables, or failures.
        output: folder for the files; None means the workspace's reports/.
        notes: why rows of the other tables could not be run, by their names.
        failures: sentences about rows of Table 4 that could not be made.
        paper: whether Table 4 shows the paper's rows and figures; None shows them for YouTube-8M data.
        report: gets notes.

    Raises:
        NotFoundError: only Table 4 was asked for, and nothing of it was measured.
        DataError: an evaluation is damaged.
    """
    done: dict[str, Reported] = {}
    for name in names:
        if name != "4":
            done[name] = report_models(workspace, name, output, notes, report)
        elif any(workspace.evaluation.glob("*.json")) or (len(names) == 1 and not failures):
            command = "compress report" if len(names) == 1 else "compress report --table 4"
            done[name] = report_stores(workspace, output, command, failures, paper, report)
    return done


def report_stores(
    workspace: Workspace,
    output: Path | None = None,
    command: str = "compress report",
    failures: Sequence[str] = (),
    paper: bool | None = None,
    report: Reporter = silent,
) -> Reported:
    """Write report.md, .json and .html: Table 4, of every evaluated store; arguments as of `report_tables`.

    Raises:
        NotFoundError: nothing was evaluated.
        CorruptArtifactError: an evaluation or the scores beside it are damaged.
    """
    class_names = vocabulary_of(workspace, report=report).names

    def made() -> Document:
        rows = load_rows(workspace.evaluation)
        table = table4(rows, failures)
        classes = class_sections(chosen_rows(table, workspace.evaluation), class_names)
        how = provenance(date.today().isoformat(), command, rows[0].data.fingerprint)
        return table4_page(table, how, classes, paper=paper)

    document = one_state(lambda: evaluations(workspace.evaluation), made)
    return Reported(document, *write_document(document, output or workspace.reports, "report"))


def report_models(
    workspace: Workspace,
    name: str,
    output: Path | None = None,
    notes: Mapping[str, Sequence[str]] | None = None,
    report: Reporter = silent,
) -> Reported:
    """Write table-2.md, .json and .html, or those of Table 3 or QRNN; arguments as of `report_tables`.

    Nothing measured is no error, the table says NOT RUN.

    Raises:
        DataError: an evaluation or the scores beside it are damaged.
    """
    known = stand_in_notes(workspace)
    for run, texts in (notes or {}).items():
        known[run] = [*known.get(run, []), *texts]
    folder = workspace.evaluation / "models"
    class_names = vocabulary_of(workspace, report=report).names

    def made() -> Document:
        table = model_table(
            name,
            load_models(folder),
            notes=known,
            stand_ins=stand_ins(workspace),
            unlike=unlike_runs(workspace),
        )
        classes = class_sections(chosen_models(table, folder), class_names)
        how = provenance(date.today().isoformat(), f"compress report --table {name}")
        return models_page(table, how, classes)

    document = one_state(lambda: evaluations(folder), made)
    return Reported(document, *write_document(document, output or workspace.reports, f"table-{name}"))
