"""Exact search over the segments of one state: only rows that live and pass are scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from compress.collection.columns import ROW, fitted
from compress.collection.results import Match
from compress.collection.segment import Segment
from compress.collection.state import State
from compress.collection.where import Where, passing

QUERIES_AT_ONCE = 1024


def find(
    state: State,
    queries: np.ndarray,
    k: int,
    *,
    where: Where | None = None,
    exclude: np.ndarray | None = None,
    min_score: float | None = None,
) -> list[list[Match]]:
    """The k best living videos of each query that pass; equal scores in the order of their ids.

    Args:
        state: what is searched.
        queries: float32 (q, dim), comparable.
        k: >= 1.
        where: filter, or None.
        exclude: ids that are not to be found, S (m,), or None.
        min_score: what a video must score at least, or None.

    Raises:
        UsageError: the filter does not fit the columns.
    """
    passes = [None] * len(state.segments) if where is None else _passing(state, where)
    among = [_among(*each, exclude) for each in zip(state.segments, passes, strict=True)]
    found: list[list[Match]] = []
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        found += _find(state, queries[start : start + QUERIES_AT_ONCE], k, among, min_score)
    return found


def _among(segment: Segment, passes: np.ndarray | None, exclude: np.ndarray | None) -> np.ndarray | None:
    """The rows of a segment that may be found, bool (n,); None for all."""
    among = segment.alive
    if passes is not None:
        among = passes if among is None else among & passes
    if exclude is not None and len(exclude):
        rows = segment.rows_of(exclude)
        if (rows >= 0).any():
            among = np.ones(len(segment), dtype=bool) if among is None else among.copy()
            among[rows[rows >= 0]] = False
    return among


def _passing(state: State, where: Where) -> list[np.ndarray]:
    """Which rows of each segment pass, bool (n,); asked once, as each question has its price."""
    import pyarrow as pa

    if not state.segments:
        return []
    table = pa.concat_tables([_columns(state, segment, where) for segment in state.segments])
    table = table.append_column(ROW, pa.array(np.arange(table.num_rows)))
    ends = np.cumsum([len(segment) for segment in state.segments])
    return np.split(passing(where, table), ends[:-1])


def _columns(state: State, segment: Segment, where: Where) -> Any:
    """The columns of a segment's videos that a filter names."""
    import pyarrow as pa

    columns: dict[str, Any] = {"": pa.nulls(len(segment))}  # so that it has as many rows
    schema = state.schema
    if schema is not None:
        named = pa.schema([item for item in schema if item.name.lower() in where.names])
        if len(named):
            table = fitted(segment.table, len(segment), named)
            columns |= dict(zip(table.column_names, table.columns, strict=True))
    if "video_id" in where.names:
        columns["video_id"] = segment.id_column
    if "labels" in where.names:
        columns["labels"] = _label_column(state, segment)
    return pa.table(columns)


def _label_column(state: State, segment: Segment) -> Any:
    """Lists of names where the classes have names, otherwise of numbers."""
    import pyarrow as pa

    labels = segment.labels
    indptr = np.zeros(len(segment) + 1, np.int64) if labels is None else labels.indptr
    numbers = np.empty(0, np.int32) if labels is None else labels.indices
    values: Any = pa.array(numbers)
    if len(state.names):
        shown = [state.names.shown(number) for number in range(max(1, state.num_classes))]
        values = pa.array(shown, pa.large_string()).take(values)
    return pa.LargeListArray.from_arrays(pa.array(indptr), values)


def _find(
    state: State, queries: np.ndarray, k: int, among: Sequence[np.ndarray | None], min_score: float | None
) -> list[list[Match]]:
    scores, owners, rows, ids = [], [], [], []
    for number, (segment, mask) in enumerate(zip(state.segments, among, strict=True)):
        most = min(k, len(segment) if mask is None else int(np.count_nonzero(mask)))
        if not most or not len(queries):
            continue
        best, places = segment.index.search(queries, most, mask)
        scores.append(best)
        rows.append(places)
        owners.append(np.full(places.shape, number))
        ids.append(np.asarray(segment.ids[places]))
    if not scores:
        return [[] for _ in queries]
    all_scores, all_rows, all_owners, all_ids = (
        np.concatenate(each, axis=1) for each in (scores, rows, owners, ids)
    )
    order = np.lexsort((all_ids, -all_scores))[:, :k]
    picked = [np.take_along_axis(each, order, axis=1) for each in (all_scores, all_owners, all_rows)]
    least = -np.inf if min_score is None else min_score
    wanted = picked[0] >= np.float32(least)
    described = matches(state, *(each[wanted] for each in picked))
    ends = np.cumsum(wanted.sum(axis=1)).tolist()
    return [described[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def matches(state: State, scores: np.ndarray, owners: np.ndarray, rows: np.ndarray) -> list[Match]:
    """The videos at some rows of some segments, each (n,), as people see them."""
    metadata: list[dict[str, Any]] = [{} for _ in rows]
    if state.schema is not None:
        for number in np.unique(owners):
            segment, mine = state.segments[number], np.flatnonzero(owners == number)
            table = None if segment.table is None else segment.table.take(rows[mine])
            for place, values in zip(mine, fitted(table, len(mine), state.schema).to_pylist(), strict=True):
                metadata[place] = values
    found = []
    for score, owner, row, values in zip(
        scores.tolist(), owners.tolist(), rows.tolist(), metadata, strict=True
    ):
        segment = state.segments[owner]
        labels = () if segment.labels is None else tuple(segment.labels[row].tolist())
        found.append(Match(segment.ids[row].decode(), score, labels, values))
    return found
