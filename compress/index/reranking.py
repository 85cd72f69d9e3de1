"""Re-ranking: a small codec finds candidates, a larger one of the same videos puts them in order."""

from __future__ import annotations

import numpy as np

from compress.index.rows import BLOCK_BYTES, Selection

DEPTH = 100


def rerank_by(
    larger: Selection, queries: np.ndarray, candidates: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k best candidates of each query by the scores of other embeddings.

    Args:
        larger: the embeddings that decide.
        queries: comparable float32 (q, d).
        candidates: int64 (q, m), rows of `larger`, none twice for a query.
        k: how many to keep; m when there are no more.

    Returns:
        (scores float32 (q, k), rows int64 (q, k)), best first; equal scores in the order of their rows.
    """
    scores = np.empty(candidates.shape, np.float32)
    step = max(1, BLOCK_BYTES // max(1, 4 * candidates.shape[1] * larger.store.dim))
    for start in range(0, len(queries), step):
        part = slice(start, start + step)
        vectors = larger.take(candidates[part].reshape(-1))
        vectors = vectors.reshape(*candidates[part].shape, larger.store.dim)
        scores[part] = np.einsum("qd,qmd->qm", queries[part], vectors)
    best = np.lexsort((candidates, -scores))[:, :k]
    return np.take_along_axis(scores, best, axis=1), np.take_along_axis(candidates, best, axis=1)
