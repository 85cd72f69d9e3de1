"""How good neighbours are, judged by labels, and by the neighbours that another search found.

All functions give one value a query, so that means and intervals over queries are one line away. Labels come
as compressed sparse rows `(indptr int64 (N + 1,), classes int (nnz,) ascending in each row)`; neighbours as
rows of the base, best first, padded with -1 where a search found fewer than k.
Source: Manning, Raghavan and Schuetze 2008, Introduction to Information Retrieval, chapter 8; Jarvelin and
Kekalainen 2002 (nDCG).
"""

from __future__ import annotations

import numpy as np

from compress.errors import SchemaError
from compress.metrics.label_overlap import BaseLabels, LabelRows, jaccard, shared_labels


def label_precision_at_k(
    neighbour_rows: np.ndarray, query_labels: LabelRows, base_labels: LabelRows
) -> np.ndarray:
    """Share of the k neighbours that have a label in common with the query; -1 counts as a miss.

    Args:
        neighbour_rows: int (Q, k), rows of the base or -1.
        query_labels: of the Q queries.
        base_labels: of the videos searched.

    Returns:
        float64 (Q,) in [0, 1]; 0 for a query without labels.

    Raises:
        SchemaError: shapes or rows do not fit together.

    Example:
        >>> labels = np.array([0, 1, 2]), np.array([5, 7])
        >>> label_precision_at_k(np.array([[0, 1]]), (np.array([0, 1]), np.array([5])), labels).tolist()
        [0.5]
    """
    relevant = shared_labels(neighbour_rows, query_labels, base_labels) > 0
    return np.asarray(relevant.mean(axis=1))


def mean_average_precision_at_k(
    neighbour_rows: np.ndarray,
    query_labels: LabelRows,
    base_labels: LabelRows,
    query_rows: np.ndarray | None = None,
) -> np.ndarray:
    """Average precision of each query's k neighbours; its mean over queries is mAP@k.

    A neighbour counts when it shares a label. The sum of precisions is divided by min(k, R), R being all
    videos of the base that share a label, not by the hits found: one good neighbour out of ten gives at most
    0.1.

    Args:
        neighbour_rows, query_labels, base_labels: as in `label_precision_at_k`.
        query_rows: int (Q,), where the base holds the queries themselves: they do not count among the R.

    Returns:
        float64 (Q,) in [0, 1]; 0 for a query that shares its labels with nobody.

    Raises:
        SchemaError: shapes or rows do not fit together, or a query is its own neighbour in spite of
            `query_rows`.
    """
    relevant = shared_labels(neighbour_rows, query_labels, base_labels) > 0
    _refuse_self(neighbour_rows, query_rows)
    ranks = np.arange(1, relevant.shape[1] + 1)
    sums = np.sum(relevant * np.cumsum(relevant, axis=1) / ranks, axis=1)
    base, k = BaseLabels(base_labels), relevant.shape[1]
    reachable = [base.num_related(labels, k, itself) for labels, itself in _queries(query_labels, query_rows)]
    return np.asarray(sums / np.maximum(reachable, 1))


def ndcg_jaccard_at_k(
    neighbour_rows: np.ndarray,
    query_labels: LabelRows,
    base_labels: LabelRows,
    query_rows: np.ndarray | None = None,
) -> np.ndarray:
    """nDCG@k where a neighbour gains the Jaccard overlap of its labels with the query's.

    DCG = sum of gain / log2(rank + 1); the ideal is that of the k best overlaps in the whole base.

    Args:
        neighbour_rows, query_labels, base_labels, query_rows: as in `mean_average_precision_at_k`.

    Returns:
        float64 (Q,) in [0, 1]; 0 for a query that shares its labels with nobody.

    Raises:
        SchemaError: as `mean_average_precision_at_k`.
    """
    gains = jaccard(neighbour_rows, query_labels, base_labels)
    _refuse_self(neighbour_rows, query_rows)
    k = gains.shape[1]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    base, ideal = BaseLabels(base_labels), np.zeros(len(gains))
    for index, (labels, itself) in enumerate(_queries(query_labels, query_rows)):
        best = base.highest_jaccard(labels, k, itself)
        ideal[index] = best @ discounts[: len(best)]
    reached = gains @ discounts
    return np.divide(reached, ideal, out=np.zeros(len(gains)), where=ideal > 0)


def neighbour_recall(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Share of the wanted neighbours that were found, in whatever order; -1 is padding in both.

    Args:
        found: int (Q, k), -1 where nothing was found.
        wanted: int (Q, k'), for example the exact neighbours; -1 where there are fewer.

    Returns:
        float64 (Q,) in [0, 1].

    Raises:
        SchemaError: shapes or types do not fit together, or a query has no wanted neighbour at all.

    Example:
        >>> neighbour_recall(np.array([[3, 9, -1]]), np.array([[9, 4, -1]])).tolist()
        [0.5]
    """
    for rows in (found, wanted):
        if rows.ndim != 2 or len(rows) != len(found) or not np.issubdtype(rows.dtype, np.integer):
            raise SchemaError(f"neighbours are {rows.dtype} {rows.shape}, not integers (queries, k)")
    counts = np.array([len(np.unique(row[row >= 0])) for row in wanted], dtype=np.int64)
    if np.any(counts == 0):
        raise SchemaError("no neighbour is wanted", where=f"query {int(np.argmin(counts))}")
    both = [len(np.intersect1d(a[a >= 0], b[b >= 0])) for a, b in zip(found, wanted, strict=True)]
    return np.asarray(both, dtype=np.int64) / counts


def _queries(labels: LabelRows, query_rows: np.ndarray | None) -> list[tuple[np.ndarray, int]]:
    indptr, classes = labels
    rows = [-1] * (len(indptr) - 1) if query_rows is None else query_rows.tolist()
    return [(classes[indptr[i] : indptr[i + 1]], row) for i, row in enumerate(rows)]


def _refuse_self(neighbour_rows: np.ndarray, query_rows: np.ndarray | None) -> None:
    if query_rows is None:
        return
    if query_rows.shape != neighbour_rows.shape[:1]:
        raise SchemaError(f"query rows are {query_rows.shape}, not {neighbour_rows.shape[:1]}")
    own = np.flatnonzero((neighbour_rows == query_rows[:, None]).any(axis=1))
    if len(own):
        raise SchemaError(
            "a query is its own neighbour", where=f"query {own[0]}", hint="exclude it in the search"
        )
