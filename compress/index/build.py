"""From a store to a committed index whose recall has been measured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress import faiss_engine
from compress.artifacts.lock import exclusive
from compress.errors import UsageError
from compress.index.exact import NearestSoFar
from compress.index.factory import EXACT_BELOW, default_factory, make_index, num_lists
from compress.index.filling import fill, memory_estimate
from compress.index.saved import IndexFacts, save
from compress.index.selection import Selection, select
from compress.index.tuning import NEIGHBOURS, Truth, tune
from compress.index.vectors import Store, check_metric
from compress.progress import Note, Reporter, silent


@dataclass(frozen=True)
class IndexSummary:
    """What was built.

    Args:
        kind: FAISS factory string ("Flat": exact).
        metric: "cosine" or "ip".
        num_vectors: videos.
        dim: numbers of a vector.
        bytes: size on disk, with ids.
        recall_at_10: share of the true 10 nearest neighbours found, in [0, 1], measured.
        seconds: wall time.
        device: "cpu" or "cuda".
        nprobe: lists visited by a search; 0 when there are none.
        k_factor: candidates re-ranked for each neighbour; 0 when there is no re-ranking.
        recall_queries: stored videos on which recall was measured.
    """

    kind: str
    metric: str
    num_vectors: int
    dim: int
    bytes: int
    recall_at_10: float
    seconds: float
    device: str
    nprobe: int
    k_factor: int
    recall_queries: int


def build_index(
    store: Store,
    folder: Path,
    *,
    metric: str = "cosine",
    factory: str | None = None,
    split: str | None = None,
    recall_queries: int = 1000,
    wanted_recall: float = 0.95,
    exact_below: int = EXACT_BELOW,
    seed: int = 0,
    device: str = "auto",
    report: Reporter = silent,
) -> IndexSummary:
    """Index the videos of `store` and commit the index to `folder`, replacing an older one in one step.

    Recall@10 is measured against a search of every stored vector, for every kind of index. With an
    approximate one, the cheapest of the search settings that reach `wanted_recall` is kept; when none does,
    the best one is, and a note says so. A video does not count as its own neighbour; ties with the tenth
    neighbour count as found.

    Args:
        store: N embeddings (see `compress.store.open_store`).
        folder: the index folder.
        metric: "cosine" (rows are divided by their L2 norm) or "ip" (inner product).
        factory: FAISS factory string; None chooses "Flat" below `exact_below` videos, else inverted lists
            with 4-bit product quantisation and re-ranking.
        split: index only this split of the store.
        recall_queries: stored videos to measure recall with, >= 1; capped to the number of videos.
        wanted_recall: in (0, 1].
        exact_below: number of videos from which the default is approximate.
        seed: >= 0, for the training sample, the clustering and the recall queries. The same store, seed and
            number of threads give the same index.
        device: "auto" (a GPU when FAISS sees one), "cpu" or "cuda".

    Raises:
        UsageError: an option is out of range or FAISS cannot make `factory`.
        NotFoundError: no such split. DataError: no videos.
        RecordError: a video holds NaN or Inf, or is all zeros (cosine).
        UnavailableError: no GPU for "cuda", or not enough memory.
        StorageError, LockedError: the folder cannot be written.
    """
    started = time.monotonic()
    _check_options(metric, recall_queries, wanted_recall, seed)
    selection = select(store, split, metric)
    kind = default_factory(len(selection), store.dim, exact_below) if factory is None else factory
    index = make_index(kind, store.dim, seed)
    _check_lists(kind, num_lists(index), len(selection))
    used = faiss_engine.choose_device(device)
    queries = min(recall_queries, len(selection))
    report(Note(_plan(kind, used, len(selection), memory_estimate(index, len(selection), queries))))
    with exclusive(folder):
        index, truth = _fill_and_compare(index, selection, queries, seed, used, report)
        setting, recall = tune(index, truth, wanted_recall, selection.take)
        if recall < wanted_recall:
            report(Note(_shortfall(recall, wanted_recall)))
        facts = IndexFacts(
            kind=kind,
            metric=metric,
            dim=store.dim,
            num_vectors=len(selection),
            first_row=selection.store_rows.start,
            split=split,
            store_sha256=store.sha256,
            nprobe=setting.nprobe,
            k_factor=setting.k_factor,
            recall_at_10=recall,
            recall_queries=queries,
            wanted_recall=wanted_recall,
            seed=seed,
            device=used,
        )
        manifest = save(folder, index, selection.ids(), facts)
    size = sum(file.bytes for file in manifest.files.values())
    return _summary(facts, size, time.monotonic() - started)


def _fill_and_compare(
    index: Any, selection: Selection, queries: int, seed: int, device: str, report: Reporter
) -> tuple[Any, Truth]:
    own = selection.sample(queries, (seed, 1))
    nearest = NearestSoFar(selection.take(own), min(NEIGHBOURS, len(selection) - 1), own)
    index = fill(index, selection, seed, device, nearest.update, report)
    return index, Truth(nearest.queries, own, nearest.rows, nearest.scores)


def _check_options(metric: str, recall_queries: int, wanted_recall: float, seed: int) -> None:
    check_metric(metric)
    if recall_queries < 1:
        raise UsageError(f"is {recall_queries}, but must be at least 1", where="--recall-queries")
    if not 0 < wanted_recall <= 1:
        raise UsageError(f"is {wanted_recall}, but must be above 0 and at most 1", where="wanted recall")
    if seed < 0:
        raise UsageError(f"is {seed}, but must not be negative", where="--seed")


def _check_lists(kind: str, lists: int, num_vectors: int) -> None:
    if lists > num_vectors:
        raise UsageError(
            f"{kind!r} asks for {lists:,} lists, but there are only {num_vectors:,} videos",
            where="--factory",
            hint=f"use --factory IVF{max(1, int(num_vectors**0.5))} or fewer lists, or Flat",
        )


def _plan(kind: str, device: str, num_vectors: int, memory: tuple[int, int]) -> str:
    finished, working = (f"{size / 2**20:,.0f} MiB" for size in memory)
    return (
        f"Building {kind} for {num_vectors:,} videos on {device}: about {finished} of memory, "
        f"and {working} more while it is built."
    )


def _shortfall(recall: float, wanted: float) -> str:
    return (
        f"No search setting of this index reaches recall@10 {wanted:g}: the best finds {recall:.4f}. "
        "An exact index (--factory Flat) finds everything."
    )


def _summary(facts: IndexFacts, size: int, seconds: float) -> IndexSummary:
    return IndexSummary(
        kind=facts.kind,
        metric=facts.metric,
        num_vectors=facts.num_vectors,
        dim=facts.dim,
        bytes=size,
        recall_at_10=facts.recall_at_10,
        seconds=seconds,
        device=facts.device,
        nprobe=facts.nprobe,
        k_factor=facts.k_factor,
        recall_queries=facts.recall_queries,
    )
