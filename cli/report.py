"""`compress report`: the papers' tables, their columns beside ours."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from cli.options import compute_options, on_corrupt_option
from cli.plan import plan_text
from cli.progress import reporter
from cli.session import Session
from cli.text import aligned, printed
from cli.types import Listed, whole
from compress.limits import LIMITS
from compress.progress import Note

if TYPE_CHECKING:
    from compress.jobs.report import Reported
    from compress.pipeline.engine import Failure, Planned
    from compress.pipeline.paper_tables import TableRow

MODELS = ("2", "3", "qrnn")
MISSING = "Missing rows"
EMPTY = "Table 4 has no measured rows yet: `compress evaluate --name original` measures the baseline."
COLUMNS = ("row", "table", "state", "epochs", "seconds", "weights_bytes")


@click.command()
@click.option(
    "--table",
    "which",
    type=click.Choice([*MODELS, "4", "all"]),
    default="4",
    help="Table 2 (frame-level models), 3 (video-level models) or 4 (stored embeddings) of the paper, the "
    "QRNN paper's model, or all of them.",
)
@click.option(
    "--run",
    "run_missing",
    is_flag=True,
    panel=MISSING,
    help="First train and evaluate the rows that are missing; run it again to go on.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    panel=MISSING,
    help="Only list the missing rows and what each would cost.",
)
@click.option(
    "--rows",
    type=Listed(str),
    metavar="NAME,...",
    default=(),
    show_default="all",
    panel=MISSING,
    help="With --run or --dry-run: only these rows.",
)
@click.option(
    "--epochs",
    type=whole(LIMITS["epochs"]),
    show_default="each row's",
    panel=MISSING,
    help="With --run or --dry-run: passes over the data.",
)
@click.option(
    "--paper/--no-paper",
    default=None,
    show_default="for YouTube-8M data",
    help="Whether Table 4 shows the paper's figures and the paper's rows that were not run.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    show_default="reports/ of the workspace",
    metavar="FOLDER",
    help="Where the files go: report.* (Table 4), table-2.*, table-3.* and table-qrnn.*, each as .md, .json "
    "and .html.",
)
@on_corrupt_option
@compute_options("seed", "threads", "device")
@click.pass_obj
@click.pass_context
def report(
    context: click.Context,
    session: Session,
    /,
    which: str,
    run_missing: bool,
    dry_run: bool,
    paper: bool | None,
    output: Path | None,
    **options: Any,
) -> None:
    """Write a table from all evaluations: the paper's figures, ours with intervals, and a verdict per row.

    Table 4 is made from `compress evaluate --dim` or `--name`, the others from `compress evaluate --run`.
    """
    from compress.errors import NotFoundError
    from compress.jobs.report import report_tables
    from compress.pipeline.engine import make_missing
    from compress.pipeline.paper_tables import plan_tables, why_not_made

    names = (*MODELS, "4") if which == "all" else (which,)
    planned: list[Planned[TableRow]] = []
    failures: list[Failure] = []
    if run_missing or dry_run:
        with session.working() as progress:
            planned = plan_tables(session.workspace, tables=names, **options, report=progress)
            if not dry_run:
                progress(Note(plan_text(planned, COLUMNS, "rows")))
                failures = make_missing(planned, progress)
    elif options["rows"] or options["epochs"]:
        raise click.UsageError("--rows and --epochs need --run or --dry-run.")
    plan_facts = [one.facts for one in planned]
    if dry_run:
        session.show({"rows": plan_facts}, lambda: plan_text(planned, COLUMNS, "rows"))
        return
    notes, sentences = why_not_made(planned, failures)
    with reporter(silent=session.json or session.quiet) as progress:
        done = report_tables(
            session.workspace,
            names,
            output=output,
            notes=notes,
            failures=sentences,
            paper=paper,
            report=progress,
        )
    empty = [] if "4" in done or "4" not in names else [EMPTY, *sentences]
    files = {name: _files(one) for name, one in done.items()}
    value: dict[str, Any] = {"tables": files}
    if planned:
        value |= {"rows": plan_facts, "failed": [failure.facts for failure in failures]}
    elif len(files) == 1:
        (value,) = files.values()
    session.show(value, lambda: _text(done, empty), kept=True)
    if failures or not done:
        context.exit(failures[0].exit_code if failures else NotFoundError.exit_code)


def _text(done: dict[str, Reported], empty: list[str]) -> str:
    parts = [report_text(one) for one in done.values()]
    return "\n\n\n".join([*parts, *(["\n".join(empty)] if empty else [])])


def report_text(done: Reported) -> str:
    """A table and where its files are."""
    from compress.reports import print_document

    return f"{printed(partial(print_document, done.document))}\n\n{aligned(_files(done))}"


def _files(done: Reported) -> dict[str, Path]:
    return {"markdown": done.markdown, "json": done.json, "html": done.html}
