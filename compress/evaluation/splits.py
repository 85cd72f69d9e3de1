"""The labelled videos of the splits of a store as tables, decoded on access, in the order of the ids."""

from __future__ import annotations

import hashlib

import numpy as np

from compress.datasets.schema import FeatureSchema
from compress.datasets.table import VideoTable
from compress.errors import UsageError
from compress.labels import Labels
from compress.progress import Note, Reporter
from compress.store.reader import Store


def split_table(store: Store, split: str) -> VideoTable:
    """Decoded embeddings and labels of one split, in the order of the video ids.

    That order is the same in every store of the same videos, whatever their shards, so that the scores of two
    stores can be paired video by video.

    Raises:
        UsageError: the store has no such split, or no labels.
    """
    labels = labelled_split(store, split)
    rows = rows_by_id(store, split)
    schema = FeatureSchema("video", ("embedding",), (store.dim,), labels.num_classes, "id")
    return VideoTable(store.id_bytes[rows], StoredFeatures(store, rows), labels.take(rows), schema)


def labelled_split(store: Store, split: str) -> Labels:
    """The store's labels; UsageError when it has no labels or no such split."""
    if store.labels is None:
        raise UsageError("has no labels, so nothing can be trained or measured", where=store.path)
    if split not in store.splits:
        raise UsageError(
            f"has no split {split!r} (it has {', '.join(store.splits) or 'none'})",
            where=store.path,
            hint="encode train and validate shards into one store: compress encode in a workspace",
        )
    return store.labels


class StoredFeatures:
    """Rows of a store, int64 (N,), read like an array (N, dim) and decoded on access."""

    def __init__(self, store: Store, rows: np.ndarray) -> None:
        self.shape = (len(rows), store.dim)
        self._store, self._rows = store, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, chosen: np.ndarray | slice) -> np.ndarray:
        """Embeddings float32 (n, dim) of the chosen places."""
        return self._store.rows(self._rows[chosen])


def rows_by_id(store: Store, split: str) -> np.ndarray:
    """Store rows of the labelled videos of a split, int64 (n,), in the order of the video ids.

    Nobody said what is in a video without labels, so nothing is trained or measured on it; in shards, too
    (`compress.datasets.views.LabelledReader`). A store without any labels has all its rows.
    """
    rows = np.arange(store.splits[split].start, store.splits[split].stop)
    if store.labels is not None:
        rows = rows[store.labels.counts()[rows] > 0]
    return rows[np.argsort(store.id_bytes[rows], kind="stable")].astype(np.int64)


def tell_unlabelled(store: Store, report: Reporter) -> None:
    """Note how many videos of each split have no labels and are left out."""
    for split, rows in store.splits.items():
        left_out = len(rows) - len(rows_by_id(store, split))
        if left_out and store.labels is not None:
            where = f"{store.path.name}, {split}"
            report(
                Note(
                    f"{where}: left out {left_out:,} of {len(rows):,} videos, which have no labels", once=True
                )
            )


def fingerprint(store: Store, split: str) -> str:
    """sha256 over ids and labels of a split, in the order of the ids; errors as `split_table`."""
    labels, rows = labelled_split(store, split), rows_by_id(store, split)
    return videos_fingerprint(store.id_bytes[rows], labels.take(rows))


def videos_fingerprint(ids: np.ndarray, labels: Labels) -> str:
    """sha256 over ascending ids, S<w> (N,) of any width, and their labels."""
    width = max(1, int(np.char.str_len(ids).max(initial=0)))
    digest = hashlib.sha256()
    for part in (ids.astype(f"S{width}"), labels.indptr, labels.indices.astype(np.int32)):
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
