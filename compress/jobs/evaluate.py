"""`compress evaluate`: from a request to one measured row."""

from __future__ import annotations

from typing import Any

from compress.jobs.evaluation_requests import EvaluateRequest
from compress.jobs.store_files import name_in_workspace
from compress.machine import choose_device
from compress.progress import Reporter
from compress.workspace import Workspace


def evaluate_store(workspace: Workspace, request: EvaluateRequest, report: Reporter) -> dict[str, Any]:
    """Train a fresh head on a store and write evaluation/<name>.json; returns its content.

    Raises:
        NotFoundError: no such store, or no baseline.
        UsageError: the store lies outside the workspace.
    """
    name = name_in_workspace(workspace, request.dim, request.name)

    # Not before: it imports torch, and a wrong name should be answered at once.
    from compress.evaluation import evaluate
    from compress.jobs.commands import row_command

    return evaluate(
        workspace,
        name,
        baseline=request.baseline,
        head_epochs=request.head_epochs,
        head_mixup=request.head_mixup,
        retrieval=request.retrieval,
        full_map=request.full_map,
        seed=request.seed,
        threads=request.threads,
        device=choose_device(request.device),
        command=row_command(workspace, name, request),
        notes=request.notes,
        folder=request.folder,
        report=report,
    )
