"""`compress index`: the index beside a store."""

from __future__ import annotations

import shlex
import time
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts.lock import exclusive
from compress.errors import CompressError, UsageError
from compress.index import EXACT_BELOW, Index
from compress.index.build import kind_of
from compress.index.rows import select
from compress.jobs.names import find_store
from compress.progress import Reporter, silent
from compress.store.reader import Store, open_store
from compress.workspace import Workspace


@dataclass(frozen=True)
class IndexSummary:
    """What was built and measured.

    Args:
        kind: FAISS factory string ("Flat": exact), or "codes" for a search of the stored codes.
        metric: "cosine" or "ip".
        num_vectors: videos.
        dim: embedding size.
        bytes: size on disk, with ids.
        bytes_per_video: without the id and what all videos share.
        recall_at_10: share of the true 10 nearest neighbours found, in [0, 1].
        seconds: wall time.
        device: "cpu" or "cuda".
        nprobe: inverted lists visited by a search; 0 when there are none.
        k_factor: candidates re-ranked for each neighbour; 0 without re-ranking.
        recall_queries: stored videos on which recall was measured.
        codec: of the codes, by name; None for a FAISS index.
        zero_videos: videos of zeros, 0 similar to everything by cosine.
    """

    kind: str
    metric: str
    num_vectors: int
    dim: int
    bytes: int
    bytes_per_video: int
    recall_at_10: float
    seconds: float
    device: str
    nprobe: int
    k_factor: int
    recall_queries: int
    codec: str | None
    zero_videos: int


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
    replace: bool = False,
    device: str = "auto",
    report: Reporter = silent,
) -> Indexed:
    """Build and commit the index of a store.

    Args:
        workspace: has the store, unless `name` is a path.
        dim, name: which store.
        metric, factory, on_codes, split, recall_queries, seed, device: see `compress.Index.build`.
        replace: build it also where an index of this store is there that is of another kind.
        report: gets progress and notes.

    Raises:
        NotFoundError: no such store; the hint names the command that writes it.
        UsageError: an index of this store is there that is of another metric, kind or split.
        LockedError: another process is building this index.
    """
    found, started = find_store(workspace, dim, name), time.monotonic()
    with exclusive(found.index):
        store = open_store(found.path)
        if not replace:
            _refuse_another(found.index, store, metric, split, factory, on_codes, device)
        index = Index.build(
            store,
            metric=metric,
            factory=factory,
            on_codes=on_codes,
            split=split,
            recall_queries=recall_queries,
            seed=seed,
            device=device,
            report=report,
        )
        size, facts = index.save(found.index), index.facts
    summary = IndexSummary(
        kind=facts.kind,
        metric=facts.metric,
        num_vectors=facts.num_vectors,
        dim=facts.dim,
        bytes=size,
        bytes_per_video=index.bytes_per_video,
        recall_at_10=facts.recall_at_10,
        seconds=time.monotonic() - started,
        device=facts.device,
        nprobe=facts.nprobe,
        k_factor=facts.k_factor,
        recall_queries=facts.recall_queries,
        codec=facts.codec,
        zero_videos=facts.zero_vectors,
    )
    return Indexed(found.name, found.index, summary)


def _refuse_another(
    folder: Path,
    store: Store,
    metric: str,
    split: str | None,
    factory: str | None,
    on_codes: bool | None,
    device: str,
) -> None:
    """UsageError if an index of `store` is there that is not of the kind asked for.

    One of an earlier version of the store is of no use to anybody, and a damaged one neither.
    """
    try:
        facts = Index.open(folder, verify=False).facts
    except CompressError:
        return
    if facts.store_sha256 != store.sha256:
        return
    kind = kind_of(select(store, split, metric), factory, on_codes, EXACT_BELOW, device)
    was, now = (_words(*what) for what in ((facts.metric, facts.kind, facts.split), (metric, kind, split)))
    if was != now:
        raise UsageError(
            f"holds an index by {was}, not by {now}", where=folder, hint="replace it with --replace"
        )


def _words(metric: str, kind: str, split: str | None) -> str:
    return f"{metric}, {kind}, of {'all videos' if split is None else f'split {split}'}"
