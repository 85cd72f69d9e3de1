"""Which share of the true nearest videos a search finds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from compress.index.exact import NearestSoFar
from compress.index.faiss_index import INTERRUPTED
from compress.index.rows import Selection
from compress.index.tuning import NEIGHBOURS, Truth
from compress.progress import Progress, Reporter, check_interrupt


def sampled(selection: Selection, queries: int, seed: int) -> tuple[NearestSoFar, np.ndarray]:
    """The collector of the true neighbours of a sample of rows, and these rows; zeros ask for nothing."""
    own = selection.sample(queries, (seed, 1))
    vectors = selection.take(own)
    asks = vectors.any(axis=1) if selection.metric == "cosine" else np.ones(len(own), dtype=bool)
    own = own[asks]
    return NearestSoFar(vectors[asks], min(NEIGHBOURS, len(selection) - 1), own), own


def recall_against(
    selection: Selection,
    search: Callable[[np.ndarray, int, np.ndarray], np.ndarray],
    queries: int,
    seed: int,
    report: Reporter,
) -> float:
    """Recall@10 of `search` against an exact search of `selection`, asked with rows of `selection`.

    Args:
        selection: the embeddings that count as the truth.
        search: of queries float32 (q, d), k, and rows int64 (q,) that they must not find: int64 (q, k).
        queries, seed: a sample of so many rows asks.
        report: gets progress.
    """
    nearest, own = sampled(selection, queries, seed)
    for first, block in selection.blocks():
        check_interrupt(INTERRUPTED)
        nearest.update(first, block)
        report(Progress("exact search", first + len(block), len(selection)))
    k = nearest.rows.shape[1]
    if k == 0 or len(own) == 0:
        return 1.0
    truth = Truth(nearest.queries, own, nearest.rows, nearest.scores)
    return truth.recall(search(nearest.queries, k, own), selection.take)
