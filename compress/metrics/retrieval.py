"""Quality of neighbours, by labels and by the neighbours that another search found.

All functions give one value per query, from which means and intervals are easily taken. Labels come
as compressed sparse rows `(indptr int64 (N + 1,), classes int (nnz,) ascending in each row)`; neighbours as
rows of the base, best first, padded with -1 where a search found fewer than k.
Source: Manning, Raghavan and Schuetze 2008, Introduction to Information Retrieval, chapter 8; Jarvelin and
Kekalainen 2002 (nDCG, normalised discounted cumulative gain).
"""

from __future__ import annotations

import itertools

import numpy as np

from compress.errors import SchemaError

LabelRows = tuple[np.ndarray, np.ndarray]


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
    relevant = _shared_labels(neighbour_rows, query_labels, base_labels) > 0
    return np.asarray(relevant.mean(axis=1))


def mean_average_precision_at_k(
    neighbour_rows: np.ndarray, query_labels: LabelRows, base_labels: LabelRows
) -> np.ndarray:
    """Average precision of each query's k neighbours; its mean over queries is mAP@k.

    A neighbour counts when it shares a label. The sum of precisions is divided by min(k, R), where R is the
    number of videos of the base that share a label, and not by the hits found: one good neighbour out of ten
    gives at most 0.1.

    Args:
        neighbour_rows, query_labels, base_labels: as in `label_precision_at_k`.

    Returns:
        float64 (Q,) in [0, 1]; 0 for a query that shares labels with no video.

    Raises:
        SchemaError: shapes or rows do not fit together.
    """
    relevant = _shared_labels(neighbour_rows, query_labels, base_labels) > 0
    ranks = np.arange(1, relevant.shape[1] + 1)
    sums = np.sum(relevant * np.cumsum(relevant, axis=1) / ranks, axis=1)
    base, k = _BaseLabels(base_labels), relevant.shape[1]
    reachable = [base.num_related(labels, k) for labels in _rows(query_labels)]
    return np.asarray(sums / np.maximum(reachable, 1))


def ndcg_jaccard_at_k(
    neighbour_rows: np.ndarray, query_labels: LabelRows, base_labels: LabelRows
) -> np.ndarray:
    """nDCG@k where a neighbour gains the Jaccard overlap of its labels with the query's.

    DCG = sum of gain / log2(rank + 1); the ideal is that of the k best overlaps in the whole base.

    Args:
        neighbour_rows, query_labels, base_labels: as in `label_precision_at_k`.

    Returns:
        float64 (Q,) in [0, 1]; 0 for a query that shares labels with no video.

    Raises:
        SchemaError: as `mean_average_precision_at_k`.
    """
    gains = _jaccard(neighbour_rows, query_labels, base_labels)
    k = gains.shape[1]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    base, ideal = _BaseLabels(base_labels), np.zeros(len(gains))
    for index, labels in enumerate(_rows(query_labels)):
        best = base.highest_jaccard(labels, k)
        ideal[index] = best @ discounts[: len(best)]
    reached = gains @ discounts
    return np.divide(reached, ideal, out=np.zeros(len(gains)), where=ideal > 0)


def neighbour_recall(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Share of the wanted neighbours that were found, in any order; -1 is padding in both.

    Args:
        found: int (Q, k), -1 where nothing was found.
        wanted: int (Q, k'), for example the exact neighbours; -1 where there are fewer.

    Returns:
        float64 (Q,) in [0, 1].

    Raises:
        SchemaError: shapes or types do not fit together, or a query has no wanted neighbour.

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


def _rows(labels: LabelRows) -> list[np.ndarray]:
    indptr, classes = labels
    return [classes[first:last] for first, last in itertools.pairwise(indptr)]


def _shared_labels(neighbour_rows: np.ndarray, query_labels: LabelRows, base_labels: LabelRows) -> np.ndarray:
    """Labels that each neighbour shares with its query, int64 (Q, k); 0 for -1.

    Raises:
        SchemaError: `neighbour_rows` is not int (Q, k >= 1), or leaves the base; labels do not ascend.
    """
    _check_rows(neighbour_rows, query_labels, base_labels)
    pairs = neighbour_rows.reshape(-1)
    pair, classes = _labels_of(base_labels, pairs)
    query = pair // neighbour_rows.shape[1]
    # (query, class) as one integer: those of the queries ascend, so a binary search finds each neighbour's.
    query_indptr, query_classes = query_labels
    width = 1 + max(int(query_classes.max(initial=0)), int(classes.max(initial=0)))
    wanted = np.repeat(np.arange(len(neighbour_rows)), np.diff(query_indptr)) * width + query_classes
    seen = query * width + classes
    place = np.minimum(np.searchsorted(wanted, seen), max(len(wanted) - 1, 0))
    same = wanted[place] == seen if len(wanted) else np.zeros(len(seen), dtype=bool)
    return np.bincount(pair[same], minlength=len(pairs)).reshape(neighbour_rows.shape)


def _jaccard(neighbour_rows: np.ndarray, query_labels: LabelRows, base_labels: LabelRows) -> np.ndarray:
    """Shared labels over all labels of the two, float64 (Q, k); 0 for -1 and where neither has any.

    Raises:
        SchemaError: as `_shared_labels`.
    """
    shared = _shared_labels(neighbour_rows, query_labels, base_labels)
    base_counts = np.append(np.diff(base_labels[0]), 0)[neighbour_rows]
    union = np.diff(query_labels[0])[:, None] + base_counts - shared
    overlap: np.ndarray = shared / np.maximum(union, 1)
    return overlap


class _BaseLabels:
    """The videos of each class of the base; 8 bytes per label."""

    def __init__(self, labels: LabelRows) -> None:
        indptr, classes = labels
        self._counts = np.diff(indptr)
        self._videos = np.repeat(np.arange(len(self._counts)), self._counts)[
            np.argsort(classes, kind="stable")
        ]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(classes))])

    def num_related(self, labels: np.ndarray, at_most: int) -> int:
        """Videos that share at least one of `labels`; counted up to `at_most`."""
        known = labels[labels < len(self._starts) - 1]
        if len(known) and (self._starts[known + 1] - self._starts[known]).max() > at_most:
            return at_most
        return min(len(np.unique(self._carriers(labels))), at_most)

    def highest_jaccard(self, labels: np.ndarray, k: int) -> np.ndarray:
        """The k highest overlaps with `labels` above 0, float64 (up to k,), descending."""
        videos, shared = np.unique(self._carriers(labels), return_counts=True)
        overlap = shared / (len(labels) + self._counts[videos] - shared)
        if len(overlap) > k:
            overlap = np.partition(overlap, len(overlap) - k)[-k:]
        return np.sort(overlap)[::-1]

    def _carriers(self, labels: np.ndarray) -> np.ndarray:
        known = labels[labels < len(self._starts) - 1]
        lists = [self._videos[self._starts[label] : self._starts[label + 1]] for label in known]
        return np.concatenate(lists) if lists else np.zeros(0, dtype=np.int64)


def _labels_of(labels: LabelRows, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    indptr, classes = labels
    counts = np.append(np.diff(indptr), 0)[rows]
    before = np.cumsum(counts) - counts
    positions = np.repeat(indptr[rows] - before, counts) + np.arange(counts.sum())
    return np.repeat(np.arange(len(rows)), counts), classes[positions].astype(np.int64)


def _check_rows(neighbour_rows: np.ndarray, query_labels: LabelRows, base_labels: LabelRows) -> None:
    queries, base = len(query_labels[0]) - 1, len(base_labels[0]) - 1
    shape, dtype = neighbour_rows.shape, neighbour_rows.dtype
    if len(shape) != 2 or shape[0] != queries or shape[1] == 0 or not np.issubdtype(dtype, np.integer):
        raise SchemaError(f"neighbours are {dtype} {shape}, not integers ({queries}, k)")
    for name, (indptr, classes) in (("query", query_labels), ("base", base_labels)):
        ascends = np.diff(classes) > 0
        ascends[indptr[1:-1][(indptr[1:-1] > 0) & (indptr[1:-1] < len(classes))] - 1] = True
        if not ascends.all() or classes.min(initial=0) < 0:
            raise SchemaError(f"{name} labels are not ascending classes from 0 up in each row")
    if neighbour_rows.size and (neighbour_rows.min() < -1 or neighbour_rows.max() >= base):
        raise SchemaError(f"neighbours leave the {base} rows of the base")
