"""`compress report --run`: train and evaluate the missing rows of Tables 2, 3 and QRNN, one by one."""

from __future__ import annotations

import gc
from collections.abc import Sequence

from compress.errors import Interrupted
from compress.jobs.evaluate_models import EvaluateModelsRequest, evaluate_runs
from compress.jobs.table_failure import FailedRow, failed_row
from compress.jobs.table_plan import PlannedRow, TablesRequest
from compress.jobs.table_state import State
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
        report(Note(f"[{number}/{len(missing)}] {one.row.run}: {one.row.title}"))
        if one.problem:
            failed.append(one.problem)  # not tried: a training that is refused late leaves a folder behind
            continue
        try:
            _run(workspace, request, one, report)
        except Interrupted:
            raise
        except Exception as error:
            # Also what is no error of ours, such as a GPU without memory: one model of many shall not end a
            # night of training. Nothing is lost: it is told now, in the report, and by the exit code.
            failed.append(failed_row(one.row.run, error))
            report(Note(f"{one.row.run} failed: {failed[-1].reason}"))
        gc.collect()  # a model in a reference cycle would stay beside the next one
    return failed


def _run(workspace: Workspace, request: TablesRequest, one: PlannedRow, report: Reporter) -> None:
    if one.standing.state is not State.TRAINED:
        train_run(workspace, one.training, report)
    check_interrupt()
    evaluation = EvaluateModelsRequest(
        runs=(one.row.run,),
        name=None,
        baseline=None,
        validate=(),
        again=True,  # the plan looked closer: something of it is missing or damaged
        on_corrupt=request.on_corrupt,
        seed=request.seed,
        threads=request.threads,
        device=request.device,
    )
    evaluate_runs(workspace, evaluation, report)
