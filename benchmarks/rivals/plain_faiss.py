"""FAISS as it is installed, with nothing changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from compress import faiss_engine


def default_threshold() -> int:
    """What FAISS starts with; ask before anything of ours searches, which sets its own."""
    return int(faiss_engine.faiss().cvar.distance_compute_blas_threshold)


class PlainFaiss:
    """An index of FAISS, searched with FAISS's own settings.

    Args:
        index: any.
        threshold: `default_threshold`, put back before each search: ours is global.
    """

    def __init__(self, index: Any, threshold: int) -> None:
        self.index, self._threshold = index, threshold

    def search(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(scores float32 (q, k), rows int64 (q, k))."""
        faiss_engine.faiss().cvar.distance_compute_blas_threshold = self._threshold
        scores, rows = self.index.search(queries, k)
        return scores, rows


def flat(base: np.ndarray, threshold: int) -> PlainFaiss:
    """Exact search by inner products."""
    index = faiss_engine.faiss().IndexFlatIP(base.shape[1])
    index.add(base)
    return PlainFaiss(index, threshold)


def inverted_lists(base: np.ndarray, lists: int, seed: int, threshold: int) -> PlainFaiss:
    """IVF-Flat: the usual approximate index."""
    module = faiss_engine.faiss()
    index = module.index_factory(base.shape[1], f"IVF{lists},Flat", module.METRIC_INNER_PRODUCT)
    index.cp.seed, index.cp.min_points_per_centroid = seed, 1
    index.train(base[np.random.default_rng(seed).permutation(len(base))[: 64 * lists]])
    index.add(base)
    return PlainFaiss(index, threshold)


def read(path: Path) -> Any:
    """An index file, read whole into memory."""
    return faiss_engine.faiss().read_index(str(path))
