"""`compress index`: the index beside a store."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from compress.index import IndexSummary, build_index
from compress.jobs.names import find_store
from compress.progress import Reporter, silent
from compress.store.reader import open_store
from compress.workspace import Workspace


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


def index_store(
    workspace: Workspace,
    *,
    dim: int | None = None,
    name: str | None = None,
    metric: str = "cosine",
    factory: str | None = None,
    on_codes: bool | None = None,
    split: str | None = None,
    recall_queries: int = 1000,
    seed: int = 0,
    device: str = "auto",
    report: Reporter = silent,
) -> Indexed:
    """Build and commit the index of a store.

    Args:
        workspace: has the store, unless `name` is a path.
        dim, name: which store.
        metric, factory, on_codes, split, recall_queries, seed, device: see `compress.index.build_index`.
        report: gets progress and notes.

    Raises:
        NotFoundError: no such store; the hint names the command that writes it.
    """
    found = find_store(workspace, dim, name)
    summary = build_index(
        open_store(found.path),
        found.index,
        metric=metric,
        factory=factory,
        on_codes=on_codes,
        split=split,
        recall_queries=recall_queries,
        seed=seed,
        device=device,
        report=report,
    )
    return Indexed(found.name, found.index, summary)
