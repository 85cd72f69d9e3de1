"""Queries as numbers, for stores that hold codes: who searches codes has an embedding, not a code of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compress.codecs.float32 import Float32
from compress.datasets.source import open_source
from compress.encoding.vectors import embed_picked
from compress.errors import NotFoundError
from compress.store.reader import Store, open_store
from compress.workspace import Workspace

_MAKER = ("run", "model_sha256", "precision", "prefix_of")
# How far the codes of what is taken for a video may lie from its stored ones, against their length: other
# batches round otherwise, and may flip a bit; another model gives 1.4.
_SAME_VIDEO = 0.25


def query_vectors(
    workspace: Workspace, store: Store, rows: np.ndarray, run: Path | None, device: str
) -> np.ndarray | None:
    """The embeddings of validation videos before they were made codes.

    They come from the store itself when it holds float32, from the float32 store of the same model in the
    workspace, or from the model and the workspace's shards.

    Args:
        rows: int64 (q,), of the store, ordered by video id.
        run: folder of the model that made the store; None when it is gone.
        device: "cpu" or "cuda".

    Returns:
        Float32 (q, dim), or None where nothing gives them any more: neither such a store, nor the model with
        the shards that it read.

    Raises:
        SchemaError, DataError: the shards are there, and are others or damaged.
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
        # What `encode` left out is in no store, so it is not asked for here.
        source = open_source(patterns, num_classes=workspace.num_classes, on_corrupt="skip")
    except NotFoundError:
        return None
    ids = store.id_bytes[rows]
    precision = store.metadata["precision"]
    found = embed_picked(run, source, ids, dim=store.dim, precision=precision, device=device)
    return None if np.isnan(found).any() else found


def _same_videos(store: Store, rows: np.ndarray, vectors: np.ndarray) -> bool:
    """Whether `vectors` become the codes that are stored: the shards may have changed since."""
    if not store.codec.representable(vectors).all():
        return False
    stored = store.rows(rows)
    off = np.linalg.norm(store.codec.decode(store.codec.encode(vectors)) - stored, axis=1)
    return bool(np.median(off) <= _SAME_VIDEO * np.median(np.linalg.norm(stored, axis=1)))
