"""Are the nearest videos in the embedding the right ones?"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from compress.errors import RecordError, SchemaError
from compress.evaluation.fresh_head import rows_by_id
from compress.evaluation.query_precision import QueryPrecision
from compress.index import exact_neighbours
from compress.metrics import (
    label_precision_at_k,
    mean_average_precision_at_k,
    ndcg_jaccard_at_k,
    neighbour_recall,
)
from compress.progress import Reporter, silent
from compress.store.reader import Store

K = 10
QUERIES = 1000


@dataclass(frozen=True)
class RetrievalQuality:
    """Means over the queries.

    Args:
        queries: validation videos that were searched for among the training videos.
        label_precision_at_10: share of the 10 nearest that share a label with the query.
        map_at_10: their mean average precision.
        ndcg_at_10: graded by the overlap of the label sets (Jaccard).
        neighbour_recall_at_10: share of the 10 nearest in the original features that are found again.
        label_precision: of each query, what the mean `label_precision_at_10` is made of.
    """

    queries: int
    label_precision_at_10: float
    map_at_10: float
    ndcg_at_10: float
    neighbour_recall_at_10: float
    label_precision: QueryPrecision = field(compare=False)

    def to_json(self) -> dict[str, Any]:
        """The means, plain numbers by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "label_precision"}


def retrieval_quality(
    store: Store, original: Store, seed: int = 0, report: Reporter = silent
) -> RetrievalQuality:
    """Search some validation videos among the training videos, exactly, by cosine.

    Args:
        store: the embeddings.
        original: the untouched features of the same videos.
        seed: of the choice of queries.

    Raises:
        SchemaError: the two stores do not hold the same videos.
        RecordError: a video is all zeros, so that it has no cosine.
    """
    validate, base = rows_by_id(store, "validate"), rows_by_id(store, "train")
    original_validate, original_base = rows_by_id(original, "validate"), rows_by_id(original, "train")
    same = np.array_equal(store.ids[validate], original.ids[original_validate]) and np.array_equal(
        store.ids[base], original.ids[original_base]
    )
    if not same:
        raise SchemaError(
            f"does not hold the same videos as {original.path.name}",
            where=store.path,
            hint="encode both from the same shards",
        )
    chosen = np.random.default_rng(seed).permutation(len(validate))[:QUERIES]
    chosen.sort()
    found = _nearest(store, validate[chosen], base, report)
    wanted = _nearest(original, original_validate[chosen], original_base, report)
    assert store.labels is not None
    queries, videos = store.labels.take(validate[chosen]), store.labels.take(base)
    query_labels, base_labels = (queries.indptr, queries.indices), (videos.indptr, videos.indices)
    precision = label_precision_at_k(found, query_labels, base_labels)
    return RetrievalQuality(
        len(chosen),
        float(precision.mean()),
        float(mean_average_precision_at_k(found, query_labels, base_labels).mean()),
        float(ndcg_jaccard_at_k(found, query_labels, base_labels).mean()),
        float(neighbour_recall(found, wanted).mean()),
        QueryPrecision(chosen.astype(np.int64), np.asarray(precision, dtype=np.float64)),
    )


def _nearest(store: Store, queries: np.ndarray, base: np.ndarray, report: Reporter) -> np.ndarray:
    """Places in `base`, int64 (q, K), of the videos most similar to those in the rows `queries`."""
    try:
        return exact_neighbours(store.rows(queries), _Picked(store, base), K, report=report)
    except RecordError as error:
        raise RecordError(
            f"neighbours cannot be measured: {error.where} {error.what}",
            where=store.path,
            hint="--no-retrieval measures the rest",
        ) from error


class _Picked:
    """Some rows of a store in an order of their own, decoded piece by piece: never all of them at once."""

    def __init__(self, store: Store, rows: np.ndarray) -> None:
        self.dim, self._store, self._rows = store.dim, store, rows

    def __len__(self) -> int:
        return len(self._rows)

    def decode(self, start: int, stop: int) -> np.ndarray:
        return self._store.rows(self._rows[start:stop])
