"""Neighbours of stored videos: do they share labels, and are they those of the original features?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from compress.codecs.float32 import Float32
from compress.datasets.schema import FeatureSchema
from compress.datasets.source import open_source
from compress.encoding.vectors import embed_picked
from compress.errors import NotFoundError, RecordError, SchemaError
from compress.evaluation.row import Retrieval
from compress.evaluation.scores import QueryPrecision
from compress.evaluation.splits import rows_by_id
from compress.index import exact_neighbours
from compress.metrics import (
    label_precision_at_k,
    mean_average_precision_at_k,
    ndcg_jaccard_at_k,
    neighbour_recall,
)
from compress.progress import Note, Reporter, silent
from compress.store.reader import Store, open_store
from compress.training.run import model_manifest
from compress.workspace import Workspace

QueryVectors = Callable[[np.ndarray], np.ndarray | None]
K = 10
QUERIES = 1000


def retrieval_quality(
    store: Store,
    original: Store,
    seed: int = 0,
    report: Reporter = silent,
    vectors_of: QueryVectors | None = None,
) -> tuple[Retrieval, QueryPrecision]:
    """Search up to 1000 validation videos among the training videos, exactly, by cosine.

    The training videos are decoded from their codes, as an index of codes sees them. A query of zeros in
    `original` has no neighbours to compare with and is left out; one that only `store` made to zeros finds
    nothing. A training video of zeros is 0 similar to every query. All are counted and told.

    Args:
        store: the embeddings.
        original: the untouched features of the same videos.
        seed: of the choice of queries.
        vectors_of: rows of the store, int64 (q,) -> their embeddings before encoding, float32 (q, dim). None,
            or a result of None: queries are decoded as well.

    Returns:
        Means over the queries, and the label precision of each query.

    Raises:
        SchemaError: the two stores do not hold the same videos.
        RecordError: an embedding holds NaN or Inf, or all queries are all zeros.
    """
    validate, base = rows_by_id(store, "validate"), rows_by_id(store, "train")
    original_validate, original_base = rows_by_id(original, "validate"), rows_by_id(original, "train")
    same = np.array_equal(store.id_bytes[validate], original.id_bytes[original_validate]) and np.array_equal(
        store.id_bytes[base], original.id_bytes[original_base]
    )
    if not same:
        raise SchemaError(
            f"does not hold the same videos as {original.path.name}",
            where=store.path,
            hint="encode both from the same shards",
        )
    chosen = np.random.default_rng(seed).permutation(len(validate))[:QUERIES]
    chosen.sort()
    questions = original.rows(original_validate[chosen])
    asks = np.asarray(questions.any(axis=1))
    if not asks.all():
        report(Note(f"{np.count_nonzero(~asks):,} of {len(asks):,} queries are all zeros: left out"))
    if not asks.any():
        raise RecordError(
            "neighbours cannot be measured: all queries are all zeros",
            where=original.path,
            hint="--no-retrieval measures the rest",
        )
    chosen = chosen[asks]
    vectors = None if vectors_of is None else vectors_of(validate[chosen])
    decoded = vectors is None and not isinstance(store.codec, Float32)
    found = _nearest(store, store.rows(validate[chosen]) if vectors is None else vectors, base, report)
    wanted = _nearest(original, questions[asks], original_base, report)
    assert store.labels is not None
    queries, videos = store.labels.take(validate[chosen]), store.labels.take(base)
    query_labels, base_labels = (queries.indptr, queries.indices), (videos.indptr, videos.indices)
    precision = label_precision_at_k(found, query_labels, base_labels)
    means = Retrieval(
        queries=len(chosen),
        label_precision_at_10=float(precision.mean()),
        map_at_10=float(mean_average_precision_at_k(found, query_labels, base_labels).mean()),
        ndcg_at_10=float(ndcg_jaccard_at_k(found, query_labels, base_labels).mean()),
        neighbour_recall_at_10=float(neighbour_recall(found, wanted).mean()),
        queries_from="codes" if decoded else "float32",
    )
    return means, QueryPrecision(chosen.astype(np.int64), np.asarray(precision, dtype=np.float64))


def _nearest(store: Store, queries: np.ndarray, base: np.ndarray, report: Reporter) -> np.ndarray:
    """Places in `base`, int64 (q, K), of the videos most similar to `queries`, float32 (q, dim); -1: none."""
    picked = _Picked(store, base)
    asks = np.asarray(queries.any(axis=1))
    found = np.full((len(queries), min(K, len(base))), -1, dtype=np.int64)
    try:
        found[asks] = exact_neighbours(queries[asks], picked, K, report=report)
    except RecordError as error:
        raise RecordError(
            f"neighbours cannot be measured: {error.where} {error.what}",
            where=store.path,
            hint="--no-retrieval measures the rest",
        ) from error
    if lost := np.count_nonzero(~asks):
        report(
            Note(
                f"{lost:,} of {len(queries):,} queries are all zeros in {store.path.name}: they find nothing"
            )
        )
    if picked.zeros:
        what = f"{picked.zeros:,} of {len(base):,} training videos are all zeros in {store.path.name}"
        report(Note(what, once=True))
    return found


class _Picked:
    """Some rows of a store in any order, decoded piece by piece and never all at once; counts zeros."""

    def __init__(self, store: Store, rows: np.ndarray) -> None:
        self.dim, self.zeros, self._store, self._rows = store.dim, 0, store, rows

    def __len__(self) -> int:
        return len(self._rows)

    def decode(self, start: int, stop: int) -> np.ndarray:
        rows = self._store.rows(self._rows[start:stop])
        self.zeros += int(np.count_nonzero(~rows.any(axis=1)))
        return rows


_MAKER = ("run", "model_sha256", "precision", "prefix_of")
# Largest distance, relative to the length, of newly encoded embeddings from the stored ones. Other batches
# round differently and may flip a bit; embeddings of another model are 1.4 away.
_SAME_VIDEO = 0.25


def query_vectors(
    workspace: Workspace, store: Store, rows: np.ndarray, run: Path | None, device: str
) -> np.ndarray | None:
    """Embeddings of stored videos before they were encoded by the codec.

    They come from the store itself when it holds float32, from the float32 store of the same model in the
    workspace, or from the model and the workspace's shards.

    Args:
        rows: int64 (q,), of the store, ordered by video id.
        run: folder of the model that made the store; None when it is gone.
        device: "cpu" or "cuda".

    Returns:
        Float32 (q, dim), or None when neither such a store nor the model with its shards is left.

    Raises:
        SchemaError, DataError: the shards differ or are damaged.
    """
    if isinstance(store.codec, Float32):
        return store.rows(rows)
    found = _from_sibling(workspace, store, rows)
    if found is None and run is not None:
        found = _from_shards(workspace, store, rows, run, device)
    return found if found is not None and _same_videos(store, rows, found) else None


def _from_sibling(workspace: Workspace, store: Store, rows: np.ndarray) -> np.ndarray | None:
    prefix = f"-d{store.dim}" if "prefix_of" in store.metadata else ""
    path = workspace.store(f"{store.metadata['run']}{prefix}")
    if not path.exists():
        return None
    sibling = open_store(path)
    alike = all(sibling.metadata.get(key) == store.metadata.get(key) for key in _MAKER)
    if not alike or not isinstance(sibling.codec, Float32) or sibling.dim != store.dim:
        return None
    order = np.argsort(sibling.id_bytes, kind="stable")
    places = np.minimum(np.searchsorted(sibling.id_bytes[order], store.id_bytes[rows]), len(order) - 1)
    same = sibling.id_bytes[order[places]] == store.id_bytes[rows]
    return sibling.rows(order[places]) if same.all() else None


def _from_shards(
    workspace: Workspace, store: Store, rows: np.ndarray, run: Path, device: str
) -> np.ndarray | None:
    patterns = workspace.patterns("validate", store.metadata["level"])
    if not patterns or "precision" not in store.metadata:
        return None
    try:
        # Records that `encode` skipped are in no store, so they are not needed here.
        source = open_source(
            patterns,
            num_classes=workspace.num_classes,
            on_corrupt="skip",
            description=workspace.description,
            run=FeatureSchema.from_json(model_manifest(run).metadata["schema"]),
        )
    except NotFoundError:
        return None
    ids = store.id_bytes[rows]
    precision = store.metadata["precision"]
    found = embed_picked(run, source, ids, dim=store.dim, precision=precision, device=device)
    return None if np.isnan(found).any() else found


def _same_videos(store: Store, rows: np.ndarray, vectors: np.ndarray) -> bool:
    """Whether `vectors` encode to the stored codes; if not, the shards have changed since."""
    if not store.codec.representable(vectors).all():
        return False
    stored = store.rows(rows)
    off = np.linalg.norm(store.codec.decode(store.codec.encode(vectors)) - stored, axis=1)
    return bool(np.median(off) <= _SAME_VIDEO * np.median(np.linalg.norm(stored, axis=1)))
