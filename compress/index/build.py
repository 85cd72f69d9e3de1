"""From a store to a committed index whose recall has been measured."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts.lock import exclusive
from compress.errors import UsageError
from compress.index.codes.build import build_codes, check_codes
from compress.index.decoded import build_with_faiss
from compress.index.factory import CODES_BELOW, EXACT_BELOW, default_factory
from compress.index.saved import IndexFacts, save
from compress.index.selection import select
from compress.index.vectors import Store, check_metric
from compress.progress import Reporter, silent


@dataclass(frozen=True)
class IndexSummary:
    """What was built.

    Args:
        kind: FAISS factory string ("Flat": exact), or "codes": the stored codes, compared with every one.
        metric: "cosine" or "ip".
        num_vectors: videos.
        dim: numbers of a vector.
        bytes: size on disk, with ids.
        bytes_per_video: what the index holds of each video, but its id and what all of them share.
        recall_at_10: share of the true 10 nearest neighbours found, in [0, 1], measured.
        seconds: wall time.
        device: "cpu" or "cuda".
        nprobe: lists visited by a search; 0 when there are none.
        k_factor: candidates re-ranked for each neighbour; 0 when there is no re-ranking.
        recall_queries: stored videos on which recall was measured.
        codec: of the codes, by name; None for an index of FAISS.
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


def build_index(
    store: Store,
    folder: Path,
    *,
    metric: str = "cosine",
    factory: str | None = None,
    on_codes: bool | None = None,
    split: str | None = None,
    recall_queries: int = 1000,
    wanted_recall: float = 0.95,
    exact_below: int = EXACT_BELOW,
    seed: int = 0,
    device: str = "auto",
    report: Reporter = silent,
) -> IndexSummary:
    """Index the videos of `store` and commit the index to `folder`, replacing an older one in one step.

    Recall@10 is measured against a search of every stored vector, decoded, for every kind of index. With an
    approximate one, the cheapest of the search settings that reach `wanted_recall` is kept; when none does,
    the best one is, and a note says so. A video does not count as its own neighbour; ties with the tenth
    neighbour count as found.

    Args:
        store: N embeddings (see `compress.store.open_store`).
        folder: the index folder.
        metric: "cosine" (rows are divided by their L2 norm) or "ip" (inner product).
        factory: FAISS factory string; None chooses "Flat" below `exact_below` videos, else inverted lists
            with 4-bit product quantisation and re-ranking.
        on_codes: compare queries with the codes of the store, which then are the index; False decodes every
            row into an index of FAISS. None takes the codes of a store that has any (its codec is not
            float32) and fewer than `CODES_BELOW` videos, where `factory` and `device` ask for nothing else.
        split: index only this split of the store.
        recall_queries: stored videos to measure recall with, >= 1; capped to the number of videos.
        wanted_recall: in (0, 1].
        exact_below: number of videos from which the default is approximate.
        seed: >= 0, for the training sample, the clustering and the recall queries. The same store, seed and
            number of threads give the same index.
        device: "auto" (a GPU when FAISS sees one), "cpu" or "cuda".

    Raises:
        UsageError: an option is out of range or does not go with another, or FAISS cannot make `factory`.
        NotFoundError: no such split. DataError: no videos.
        RecordError: a video holds NaN or Inf, or is all zeros (cosine).
        UnavailableError: no GPU for "cuda", or not enough memory.
        StorageError, LockedError: the folder cannot be written.
    """
    started = time.monotonic()
    _check_options(metric, recall_queries, wanted_recall, seed)
    selection = select(store, split, metric)
    queries = min(recall_queries, len(selection))
    if on_codes is None:
        codes_fit = store.codec.searchable and len(selection) < CODES_BELOW
        on_codes = codes_fit and factory is None and device != "cuda"
    if on_codes:
        check_codes(store.codec, factory, device)
    kind = default_factory(len(selection), store.dim, exact_below) if factory is None else factory
    with exclusive(folder):
        if on_codes:
            built = build_codes(selection, queries, seed, report)
        else:
            built = build_with_faiss(selection, kind, queries, wanted_recall, seed, device, report)
        facts = IndexFacts(
            kind=built.kind,
            metric=metric,
            dim=store.dim,
            num_vectors=len(selection),
            first_row=selection.store_rows.start,
            split=split,
            store_sha256=store.sha256,
            nprobe=built.setting.nprobe,
            k_factor=built.setting.k_factor,
            recall_at_10=built.recall,
            recall_queries=queries,
            wanted_recall=wanted_recall,
            seed=seed,
            device=built.device,
            codec=built.codec,
        )
        manifest = save(folder, built.index, selection.ids(), facts)
    size = sum(file.bytes for file in manifest.files.values())
    return _summary(facts, size, built.bytes_per_video, time.monotonic() - started)


def _check_options(metric: str, recall_queries: int, wanted_recall: float, seed: int) -> None:
    check_metric(metric)
    if recall_queries < 1:
        raise UsageError(f"is {recall_queries}, but must be at least 1", where="--recall-queries")
    if not 0 < wanted_recall <= 1:
        raise UsageError(f"is {wanted_recall}, but must be above 0 and at most 1", where="wanted recall")
    if seed < 0:
        raise UsageError(f"is {seed}, but must not be negative", where="--seed")


def _summary(facts: IndexFacts, size: int, per_video: int, seconds: float) -> IndexSummary:
    return IndexSummary(
        kind=facts.kind,
        metric=facts.metric,
        num_vectors=facts.num_vectors,
        dim=facts.dim,
        bytes=size,
        bytes_per_video=per_video,
        recall_at_10=facts.recall_at_10,
        seconds=seconds,
        device=facts.device,
        nprobe=facts.nprobe,
        k_factor=facts.k_factor,
        recall_queries=facts.recall_queries,
        codec=facts.codec,
    )
