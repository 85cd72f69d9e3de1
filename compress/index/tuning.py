"""How many lists to visit and candidates to re-rank: the cheapest setting that finds what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress import faiss_engine
from compress.index.codes import CodesIndex
from compress.index.exact import NearestSoFar, scan_works
from compress.index.faiss_index import INTERRUPTED, base_of, flat_rows, is_refined, num_lists, refiner_of
from compress.progress import check_interrupt

MAX_K_FACTOR = 64
# Lists are scanned in order, candidates are fetched one by one. Measured on a million videos of 320
# dimensions: a byte of a candidate takes 16 times as long, and with that weight the cost predicts the time
# within 10 %.
_FETCHED_ONE_BY_ONE = 16
NEIGHBOURS = 10


@dataclass(frozen=True)
class Setting:
    """How thoroughly to search.

    Args:
        nprobe: inverted lists to visit; 0 when the index has none.
        k_factor: candidates to re-rank for each wanted neighbour; 0 when the index does not re-rank.
    """

    nprobe: int = 0
    k_factor: int = 0


@dataclass(frozen=True)
class Truth:
    """What an exact search found for a sample of stored videos.

    Args:
        queries: comparable float32 (q, d).
        rows: int64 (q,), their own rows in the index; they must not find themselves.
        neighbours: int64 (q, k), best first.
        scores: float32 (q, k), of the neighbours.
    """

    queries: np.ndarray
    rows: np.ndarray
    neighbours: np.ndarray
    scores: np.ndarray

    def recall(self, found: np.ndarray, vectors_of: Callable[[np.ndarray], np.ndarray]) -> float:
        """Share of the true k neighbours that `found`, int64 (q, k), contains.

        A row that ties with the k-th true neighbour (a duplicate video) is as good as it and counts as found;
        `vectors_of(rows)` gives the comparable vectors of rows that need the check.
        """
        hits = (found[:, :, None] == self.neighbours[:, None, :]).any(axis=2)
        query, place = np.nonzero(~hits & (found >= 0))
        if len(query):
            asked, given = self.queries[query], vectors_of(found[query, place])
            # Two float32 sums of the same products differ by about this much.
            rounding = 2e-6 * np.linalg.norm(asked, axis=1) * np.linalg.norm(given, axis=1)
            hits[query, place] = np.einsum("nd,nd->n", asked, given) >= self.scores[query, -1] - rounding
        return float(hits.mean()) if hits.size else 1.0


def search_once(index: Any, queries: np.ndarray, k: int, setting: Setting) -> tuple[np.ndarray, np.ndarray]:
    """One search of a FAISS index with `setting`, or of codes; safe to call from several threads.

    Returns:
        (scores float32 (q, k), rows int64 (q, k)), with row -1 where fewer than k were found.
    """
    if isinstance(index, CodesIndex):
        return index.search(queries, k)
    matrix = flat_rows(index)
    if matrix is not None and scan_works(len(queries), k):
        nearest = NearestSoFar(queries, k)
        nearest.update(0, matrix)
        return nearest.scores, nearest.rows
    faiss_engine.prefer_matrix_products(queries.shape[1])
    scores, rows = index.search(queries, k, params=_parameters(setting))
    return scores, rows


def _parameters(setting: Setting) -> Any:
    module = faiss_engine.faiss()
    inner = module.SearchParametersIVF(nprobe=setting.nprobe) if setting.nprobe else None
    if not setting.k_factor:
        return inner
    if inner is None:
        return module.IndexRefineSearchParameters(k_factor=setting.k_factor)
    return module.IndexRefineSearchParameters(k_factor=setting.k_factor, base_index_params=inner)


def found_by(index: Any, truth: Truth, setting: Setting) -> np.ndarray:
    """What `index` finds for the queries of `truth`, without the query itself: int64 (q, k)."""
    k = truth.neighbours.shape[1]
    if k == 0:
        return truth.neighbours
    _, rows = search_once(index, truth.queries, k + 1, setting)
    return np.take_along_axis(rows, others(rows, truth.rows, k), axis=1)


def others(found: np.ndarray, own: np.ndarray, k: int) -> np.ndarray:
    """Places in `found`, int64 (q, m), of its first k that are not the query's own row, int64 (q,)."""
    # A stable sort moves the query's own row to the end, and the rest keeps its order.
    return np.argsort(found == own[:, None], axis=1, kind="stable")[:, :k]


def tune(
    index: Any, truth: Truth, wanted: float, vectors_of: Callable[[np.ndarray], np.ndarray]
) -> tuple[Setting, float]:
    """(setting, its recall): the cheapest setting that reaches recall `wanted`, else the best one.

    The cost is counted, not timed, so the same store and seed give the same setting on every machine.
    """
    best: tuple[Setting, float] | None = None
    reached = float("inf")
    for setting in _settings(index):
        check_interrupt(INTERRUPTED)
        cost = _cost(index, setting)
        if cost >= reached:
            continue
        recall = truth.recall(found_by(index, truth, setting), vectors_of)
        if recall >= wanted:
            best, reached = (setting, recall), cost
        elif reached == float("inf") and (best is None or recall > best[1]):
            best = setting, recall
    assert best is not None
    return best


def _settings(index: Any) -> Iterator[Setting]:
    factors = _doubling(MAX_K_FACTOR) if is_refined(index) else [0]
    lists = num_lists(index)
    for nprobe in _doubling(lists) if lists else [0]:
        for factor in factors:
            yield Setting(nprobe, factor)


def _doubling(most: int) -> list[int]:
    return sorted({min(2**power, most) for power in range(most.bit_length() + 1)})


def _cost(index: Any, setting: Setting) -> float:
    """Bytes that a query reads, those of candidates weighted by their slower access."""
    base = base_of(index)
    visited = setting.nprobe / num_lists(index) if setting.nprobe else 1.0
    scanned = visited * index.ntotal * base.sa_code_size()
    reranked = NEIGHBOURS * setting.k_factor * refiner_of(index).sa_code_size() if setting.k_factor else 0
    return float(scanned + _FETCHED_ONE_BY_ONE * reranked)
