"""`compress index`: from a request to the index beside a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from compress.index import IndexSummary, build_index
from compress.jobs.names import find_store
from compress.progress import Reporter
from compress.store.reader import open_store
from compress.workspace import Workspace


@dataclass(frozen=True)
class IndexRequest:
    """Which store to index, and how (see `compress.index.build_index`)."""

    dim: int | None
    name: str | None
    metric: str
    factory: str | None
    split: str | None
    recall_queries: int
    seed: int
    device: str


@dataclass(frozen=True)
class Indexed:
    """A committed index: the name of its store, its folder, and what was measured."""

    name: str
    folder: Path
    summary: IndexSummary


def index_store(workspace: Workspace, request: IndexRequest, report: Reporter) -> Indexed:
    """Build and commit the index of a store.

    Raises:
        NotFoundError: no such store; the hint says what writes it.
    """
    name = find_store(workspace, request.dim, request.name)
    folder = workspace.index(name)
    summary = build_index(
        open_store(workspace.store(name)),
        folder,
        metric=request.metric,
        factory=request.factory,
        split=request.split,
        recall_queries=request.recall_queries,
        seed=request.seed,
        device=request.device,
        report=report,
    )
    return Indexed(name, folder, summary)
