"""The index of a store in one step, and what came out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.artifacts.lock import exclusive
from compress.index.faiss_index import EXACT_BELOW
from compress.index.index import Index
from compress.progress import Reporter, silent


@dataclass(frozen=True)
class IndexSummary:
    """What was built.

    Args:
        kind: FAISS factory string ("Flat": exact), or "codes": the stored codes, compared with every one.
        metric: "cosine" or "ip".
        num_vectors: videos.
        dim: embedding size.
        bytes: size on disk, with ids.
        bytes_per_video: what the index holds of each video, without its id and what all of them share.
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
    store: Any,
    folder: str | Path,
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
    """`Index.build` and `save` in one, while nobody else can write `folder`; what came out, with its size."""
    started = time.monotonic()
    with exclusive(Path(folder)):
        index = Index.build(
            store,
            metric=metric,
            factory=factory,
            on_codes=on_codes,
            split=split,
            recall_queries=recall_queries,
            wanted_recall=wanted_recall,
            exact_below=exact_below,
            seed=seed,
            device=device,
            report=report,
        )
        size, facts = index.save(folder), index.facts
    return IndexSummary(
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
    )
