"""`compress evaluate`: from a request to one measured row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from compress.jobs.store_files import name_in_workspace
from compress.machine import choose_device
from compress.progress import Reporter
from compress.workspace import Workspace


@dataclass(frozen=True)
class EvaluateRequest:
    """What to measure.

    Args:
        dim, name: which store.
        baseline: name of the store that deltas are measured against.
        head_epochs: passes over the data of the fresh head; None leaves it to the preset.
        retrieval: also measure the nearest neighbours.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        notes: sentences to keep with the row.
    """

    dim: int | None
    name: str | None
    baseline: str
    head_epochs: int | None
    retrieval: bool
    seed: int
    threads: int
    device: str
    notes: tuple[str, ...] = ()


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
        retrieval=request.retrieval,
        seed=request.seed,
        threads=request.threads,
        device=choose_device(request.device),
        command=row_command(workspace, name, request),
        notes=request.notes,
        report=report,
    )
