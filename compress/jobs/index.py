"""`compress index`: from a request to the index beside a store."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from compress.index import IndexSummary, build_index
from compress.jobs.store_files import find_store_file
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
    on_codes: bool | None = None


@dataclass(frozen=True)
class Indexed:
    """A committed index: its store (`name` as --name takes it), its folder, and what was measured."""

    name: str
    folder: Path
    summary: IndexSummary

    @property
    def next(self) -> str:
        """What to type next."""
        return f"compress search --name {shlex.quote(self.name)} --row 0"


def index_store(workspace: Workspace, request: IndexRequest, report: Reporter) -> Indexed:
    """Build and commit the index of a store.

    Raises:
        NotFoundError: no such store; the hint says what writes it.
    """
    found = find_store_file(workspace, request.dim, request.name)
    summary = build_index(
        open_store(found.path),
        found.index,
        metric=request.metric,
        factory=request.factory,
        on_codes=request.on_codes,
        split=request.split,
        recall_queries=request.recall_queries,
        seed=request.seed,
        device=request.device,
        report=report,
    )
    return Indexed(found.name, found.index, summary)
