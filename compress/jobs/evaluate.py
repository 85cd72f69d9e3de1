"""`compress evaluate`: what a fresh head still learns from a store of embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compress.jobs.store_files import name_in_workspace
from compress.machine import choose_device
from compress.progress import Reporter, silent
from compress.workspace import Workspace


def evaluate_store(
    workspace: Workspace,
    *,
    dim: int | None = None,
    name: str | None = None,
    baseline: str = "original",
    head_epochs: int | None = None,
    head_mixup: float = 0.0,
    retrieval: bool = True,
    full_map: bool = False,
    seed: int = 0,
    threads: int = 0,
    device: str = "auto",
    notes: Sequence[str] = (),
    folder: Path | None = None,
    report: Reporter = silent,
) -> dict[str, Any]:
    """Train a fresh head on a store and write evaluation/<name>.json; returns its content.

    Args:
        workspace: has the store.
        dim, name: which store.
        baseline: name of the store that changes are measured against.
        head_epochs: passes of the fresh head over the data; None for the recipe's.
        head_mixup: alpha of its mixup; 0 for none.
        retrieval: also measure the nearest neighbours.
        full_map: also compute MAP over all scores.
        seed: >= 0. threads: 0 for all. device: "auto", "cpu" or "cuda".
        notes: sentences to keep with the row.
        folder: where the row and its scores are kept; None for evaluation/ of the workspace.
        report: gets progress and notes.

    Raises:
        NotFoundError: no such store, or no baseline.
        UsageError: the store lies outside the workspace.
    """
    found = name_in_workspace(workspace, dim, name)

    # Imported late: torch takes seconds, and a wrong name should be answered at once.
    from compress.evaluation import evaluate
    from compress.jobs.commands import row_command

    return evaluate(
        workspace,
        found,
        baseline=baseline,
        head_epochs=head_epochs,
        head_mixup=head_mixup,
        retrieval=retrieval,
        full_map=full_map,
        seed=seed,
        threads=threads,
        device=choose_device(device),
        command=row_command(
            workspace,
            found,
            baseline=baseline,
            head_epochs=head_epochs,
            head_mixup=head_mixup,
            retrieval=retrieval,
            full_map=full_map,
            seed=seed,
        ),
        notes=tuple(notes),
        folder=folder,
        report=report,
    )
