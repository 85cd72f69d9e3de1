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
from compress.index.reranking import DEPTH
from compress.index.rows import select
from compress.jobs.names import find_store
from compress.jobs.sister_stores import ORIGINAL, command_for, find_sister, sister_called
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
        recall_at_10_stored: share of the 10 nearest by an exact search of the stored (decoded) rows that is
            found, in [0, 1]: what the index loses.
        recall_at_10_float32: the same share of the 10 nearest by the float32 embeddings: what index and codec
            lose together; None where these are not there.
        float32_store: where the float32 embeddings are, by name; None where they are not there.
        float32_command: writes them where they are not there; None where that is not known.
        recall_at_10_reranked: as recall_at_10_float32, of searches with re-ranking.
        reranked_by: the store that re-ranked, by name; None without re-ranking.
        seconds: wall time.
        device: "cpu" or "cuda".
        nprobe: inverted lists visited by a search; 0 when there are none.
        k_factor: candidates re-ranked for each neighbour; 0 without re-ranking.
        recall_queries: stored videos on which recall was measured.
        codec: of the codes, by name; None for a FAISS index.
        stored_as: codec of the store, by name.
        zero_videos: videos of zeros, 0 similar to everything by cosine.
    """

    kind: str
    metric: str
    num_vectors: int
    dim: int
    bytes: int
    bytes_per_video: int
    recall_at_10_stored: float
    recall_at_10_float32: float | None
    float32_store: str | None
    float32_command: str | None
    recall_at_10_reranked: float | None
    reranked_by: str | None
    seconds: float
    device: str
    nprobe: int
    k_factor: int
    recall_queries: int
    codec: str | None
    stored_as: str
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
    rerank: str | None = None,
    depth: int = DEPTH,
    device: str = "auto",
    report: Reporter = silent,
) -> Indexed:
    """Build and commit the index of a store.

    Args:
        workspace: has the store, unless `name` is a path.
        dim, name: which store.
        metric, factory, on_codes, split, recall_queries, seed, device: see `compress.Index.build`.
        replace: build it also where an index of this store is there that is of another kind.
        rerank, depth: measure as well how many are found with `compress search --rerank`; nothing of it is
            kept.
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
        ids = select(store, split, metric).ids()
        exact = store.codec.name == ORIGINAL
        float32 = None if exact else find_sister(workspace, store, ORIGINAL, ids, metric)
        larger = None if rerank is None else sister_called(workspace, store, rerank, ids, metric)
        original = None if float32 is None else float32.rows
        index = Index.build(
            store,
            original=original,
            metric=metric,
            factory=factory,
            on_codes=on_codes,
            split=split,
            recall_queries=recall_queries,
            seed=seed,
            device=device,
            report=report,
        )
        reranked, truth = None, select(store, split, metric) if exact else original
        if larger is not None and truth is not None:
            reranked = index.recall(
                truth,
                rerank=larger.rows,
                depth=depth,
                queries=recall_queries,
                seed=seed,
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
        recall_at_10_stored=facts.recall_at_10,
        recall_at_10_float32=facts.recall_at_10_float32,
        float32_store=found.name if exact else None if float32 is None else float32.file.name,
        float32_command=None if truth is not None else command_for(workspace, store, ORIGINAL),
        recall_at_10_reranked=reranked,
        reranked_by=None if larger is None else larger.file.name,
        seconds=time.monotonic() - started,
        device=facts.device,
        nprobe=facts.nprobe,
        k_factor=facts.k_factor,
        recall_queries=facts.recall_queries,
        codec=facts.codec,
        stored_as=store.codec.name,
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
