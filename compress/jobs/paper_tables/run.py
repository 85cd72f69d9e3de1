"""`compress report --run`: train and evaluate the missing rows of the tables, one by one."""

from __future__ import annotations

import gc
from collections.abc import Sequence

from compress.errors import Interrupted
from compress.jobs.encode import EncodeRequest, encode_store
from compress.jobs.evaluate import evaluate_store
from compress.jobs.evaluate_models import evaluate_runs
from compress.jobs.evaluation_requests import EvaluateModelsRequest, EvaluateRequest
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
    if one.standing.state is not State.TRAINED:
        train_run(workspace, one.task.training, report)
    check_interrupt()
    if one.task.codec is None:
        evaluate_runs(workspace, _models_request(request, one.task.run), report)
        return
    encoding = EncodeRequest(
        None, one.task.run, one.task.codec, (), None, None, request.on_corrupt, request.device
    )
    encode_store(workspace, encoding, report)
    check_interrupt()
    evaluate_store(workspace, _store_request(request, one.task.name), report)


def _models_request(request: TablesRequest, run: str) -> EvaluateModelsRequest:
    return EvaluateModelsRequest(
        runs=(run,),
        name=None,
        baseline=None,
        validate=(),
        again=True,  # the plan looked closer: something of it is missing or damaged
        on_corrupt=request.on_corrupt,
        seed=request.seed,
        threads=request.threads,
        device=request.device,
    )


def _store_request(request: TablesRequest, name: str) -> EvaluateRequest:
    return EvaluateRequest(
        dim=None,
        name=name,
        baseline="original",
        head_epochs=None,
        retrieval=True,
        seed=request.seed,
        threads=request.threads,
        device=request.device,
    )
