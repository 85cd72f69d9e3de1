"""How many labels two videos have in common: for the neighbours of a query, and over a whole base."""

from __future__ import annotations

import numpy as np

from compress.errors import SchemaError

LabelRows = tuple[np.ndarray, np.ndarray]


def shared_labels(neighbour_rows: np.ndarray, query_labels: LabelRows, base_labels: LabelRows) -> np.ndarray:
    """Labels that each neighbour shares with its query, int64 (Q, k); 0 for -1.

    Raises:
        SchemaError: `neighbour_rows` is not int (Q, k >= 1), or leaves the base; labels do not ascend.
    """
    _check(neighbour_rows, query_labels, base_labels)
    pairs = neighbour_rows.reshape(-1)
    pair, classes = _labels_of(base_labels, pairs)
    query = pair // neighbour_rows.shape[1]
    # A (query, class) as one integer: those of the queries ascend, so a binary search finds each neighbour's.
    query_indptr, query_classes = query_labels
    width = 1 + max(int(query_classes.max(initial=0)), int(classes.max(initial=0)))
    wanted = np.repeat(np.arange(len(neighbour_rows)), np.diff(query_indptr)) * width + query_classes
    seen = query * width + classes
    place = np.minimum(np.searchsorted(wanted, seen), max(len(wanted) - 1, 0))
    same = wanted[place] == seen if len(wanted) else np.zeros(len(seen), dtype=bool)
    return np.bincount(pair[same], minlength=len(pairs)).reshape(neighbour_rows.shape)


def jaccard(neighbour_rows: np.ndarray, query_labels: LabelRows, base_labels: LabelRows) -> np.ndarray:
    """Shared labels over all labels of the two, float64 (Q, k); 0 for -1 and where neither has any.

    Raises:
        SchemaError: as `shared_labels`.
    """
    shared = shared_labels(neighbour_rows, query_labels, base_labels)
    base_counts = np.append(np.diff(base_labels[0]), 0)[neighbour_rows]
    union = np.diff(query_labels[0])[:, None] + base_counts - shared
    overlap: np.ndarray = shared / np.maximum(union, 1)
    return overlap


class BaseLabels:
    """The base turned round: the videos of each class. Costs 8 bytes a label."""

    def __init__(self, labels: LabelRows) -> None:
        indptr, classes = labels
        self._counts = np.diff(indptr)
        self._videos = np.repeat(np.arange(len(self._counts)), self._counts)[
            np.argsort(classes, kind="stable")
        ]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(classes))])

    def num_related(self, labels: np.ndarray, at_most: int, itself: int = -1) -> int:
        """Videos that share at least one of `labels`, without the video `itself`; counted up to `at_most`."""
        known = labels[labels < len(self._starts) - 1]
        if len(known) and (self._starts[known + 1] - self._starts[known]).max() > at_most:
            return at_most
        videos = set(self._carriers(labels).tolist()) - {itself}
        return min(len(videos), at_most)

    def highest_jaccard(self, labels: np.ndarray, k: int, itself: int = -1) -> np.ndarray:
        """The k highest overlaps with `labels` above 0, without `itself`, float64 (up to k,), descending."""
        videos, shared = np.unique(self._carriers(labels), return_counts=True)
        overlap = shared / (len(labels) + self._counts[videos] - shared)
        overlap = overlap[videos != itself]
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


def _check(neighbour_rows: np.ndarray, query_labels: LabelRows, base_labels: LabelRows) -> None:
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
