"""`compress report --run`: train and evaluate the missing rows of the tables, one by one."""

from __future__ import annotations

import gc
from collections.abc import Sequence

from compress.errors import Interrupted
from compress.jobs.encode import encode_store
from compress.jobs.evaluate import evaluate_store
from compress.jobs.evaluate_runs import evaluate_runs
from compress.jobs.failures import ITEM_FAILURES
from compress.jobs.paper_tables.failure import FailedRow, failed_row
from compress.jobs.paper_tables.plan import PlannedRow
from compress.jobs.paper_tables.state import State
from compress.jobs.paper_tables.tasks import TablesRequest
from compress.jobs.train import train_run
from compress.progress import Note, Reporter, check_interrupt
from compress.workspace import Workspace


def run_tables(
    workspace: Workspace, request: TablesRequest, planned: Sequence[PlannedRow], report: Reporter
) -> list[FailedRow]:
    """Make what is missing; a row that fails is told, and the others go on.

    Everything is kept as it is done: a call after a stop continues where that was, within a row too.

    Args:
        workspace: where everything lies.
        request: as the plan was made with.
        planned: as `plan_tables` gives it.
        report: gets progress, and what failed.

    Returns: the rows that failed.

    Raises:
        Interrupted: on request.
    """
    missing = [one for one in planned if one.missing]
    failed: list[FailedRow] = []
    for number, one in enumerate(missing, 1):
        check_interrupt()
        report(Note(f"[{number}/{len(missing)}] {one.task.name}: {one.task.title}"))
        if one.problem:
            failed.append(one.problem)  # not tried: a training that is refused late leaves a folder behind
            continue
        try:
            _make(workspace, request, one, report)
        except Interrupted:
            raise
        except ITEM_FAILURES as error:
            # Also what is no error of ours, such as a GPU without memory: one model of many shall not end a
            # night of training. Nothing is lost: it is told now, in the report, and by the exit code.
            failed.append(failed_row(one.task, error))
            report(Note(f"{one.task.name} failed: {failed[-1].reason}"))
        gc.collect()  # a model in a reference cycle would stay beside the next one
    return failed


def _make(workspace: Workspace, request: TablesRequest, one: PlannedRow, report: Reporter) -> None:
    seed, threads, device, on_corrupt = request.seed, request.threads, request.device, request.on_corrupt
    if one.standing.state is not State.TRAINED:
        training = one.task.training
        train_run(
            workspace,
            dim=training.dim,
            encoder=training.encoder,
            preset=training.preset,
            epochs=training.epochs,
            settings=training.settings,
            name=training.name,
            on_corrupt=on_corrupt,
            seed=seed,
            threads=threads,
            device=device,
            report=report,
        )
    check_interrupt()
    if one.task.codec is None:
        evaluate_runs(
            workspace,
            runs=(one.task.run,),
            again=True,  # the plan looked closer: something of it is missing or damaged
            on_corrupt=on_corrupt,
            seed=seed,
            threads=threads,
            device=device,
            report=report,
        )
        return
    encode_store(
        workspace,
        name=one.task.run,
        codec=one.task.codec,
        on_corrupt=on_corrupt,
        device=device,
        report=report,
    )
    check_interrupt()
    evaluate_store(workspace, name=one.task.name, seed=seed, threads=threads, device=device, report=report)
