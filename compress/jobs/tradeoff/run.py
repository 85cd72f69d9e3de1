"""Make the points that are missing: train, encode, evaluate; one after the other, resumable."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass

from compress.errors import ITEM_FAILURES, Interrupted, reason_and_exit_code
from compress.jobs.encode import encode_store
from compress.jobs.evaluate import evaluate_store
from compress.jobs.tradeoff.plan import PlannedPoint
from compress.jobs.tradeoff.request import TradeoffRequest
from compress.jobs.tradeoff.standing import State
from compress.jobs.train import train_run
from compress.progress import Note, Reporter, check_interrupt
from compress.training.run import Run
from compress.workspace import Workspace


@dataclass(frozen=True)
class FailedPoint:
    """A point that cannot be made, why in one line, and the exit code of that error."""

    name: str
    reason: str
    exit_code: int


def run_tradeoff(
    workspace: Workspace, request: TradeoffRequest, planned: Sequence[PlannedPoint], report: Reporter
) -> list[FailedPoint]:
    """Make what is missing; a point that fails is told, and the others go on.

    Everything is kept as it is done: a call after a stop continues where that was, within a point too.

    Args:
        workspace: where everything lies.
        request: as the plan was made with.
        planned: as `plan_tradeoff` gives it.
        report: gets progress, and what failed.

    Returns: the points that failed.

    Raises:
        Interrupted: on request.
        CompressError: the baseline failed, without which nothing can be compared.
    """
    missing = [one for one in planned if one.missing]
    failed: list[FailedPoint] = []
    for number, one in enumerate(missing, 1):
        check_interrupt()
        name = one.stored.name
        if name in {failure.name for failure in failed}:
            continue  # another seed of it has failed
        report(Note(f"[{number}/{len(missing)}] {name}, head seed {one.seed}"))
        try:
            _make(workspace, request, one, report)
        except Interrupted:
            raise
        except ITEM_FAILURES as error:
            if name == request.baseline:
                raise
            # One point of many shall not end a night's work. Nothing is lost: it is told now, in the report,
            # and by the exit code.
            failed.append(FailedPoint(name, *reason_and_exit_code(error)))
            report(Note(f"{name} failed: {failed[-1].reason}"))
        gc.collect()  # a model in a reference cycle would stay beside the next one
    return failed


def _make(workspace: Workspace, request: TradeoffRequest, one: PlannedPoint, report: Reporter) -> None:
    new = one.state in (State.TO_COMPUTE, State.TO_TRAIN)
    if new and not Run(workspace.run(one.run.name)).finished:
        train_run(
            workspace,
            dim=None if one.run.encoder == "identity" else one.run.dim,
            encoder=one.run.encoder,
            preset=request.preset,
            nested=one.run.prefixes or None,
            name=one.run.name,
            on_corrupt=request.on_corrupt,
            seed=request.seed,
            threads=request.threads,
            device=request.device,
            report=report,
        )
    check_interrupt()
    if one.state is not State.TO_EVALUATE:
        encode_store(
            workspace,
            dim=one.stored.prefix,
            name=one.stored.run,
            codec=one.stored.codec,
            on_corrupt=request.on_corrupt,
            device=request.device,
            report=report,
        )
    check_interrupt()
    evaluate_store(
        workspace,
        name=one.stored.name,
        baseline=request.baseline,
        head_epochs=request.head_epochs,
        head_mixup=request.head_mixup,
        retrieval=request.retrieval,
        seed=one.seed,
        threads=request.threads,
        device=request.device,
        folder=one.folder,
        report=report,
    )
