"""What the rows about search share: an index of ours, and how many true neighbours something finds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.row import Settings
from compress.codecs.float32 import Float32
from compress.index import Index, open_index
from compress.store.reader import open_store
from compress.store.writer import open_writer

DIM, K = 320, 10


def write_store(path: Path, rows: np.ndarray) -> None:
    """Embeddings float32 (N, D) as a store without labels."""
    ids = np.array([f"v{number:07d}" for number in range(len(rows))], dtype="S8")
    codec = Float32(rows.shape[1])
    with open_writer(path, ids=ids, labels=None, codec=codec, splits={}, metadata={}) as writer:
        writer.write(rows)
        writer.finish()


def build(settings: Settings, base: np.ndarray, factory: str, wanted_recall: float = 0.95) -> Index:
    """What `compress index` makes of `base`, opened."""
    path = settings.scratch / "base.h5"
    write_store(path, base)
    folder = settings.scratch / "index"
    store = open_store(path)
    Index.build(store, factory=factory, wanted_recall=wanted_recall, recall_queries=500, device="cpu").save(
        folder
    )
    return open_index(folder)


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    """Share of the true neighbours int64 (q, k) that were found, in any order."""
    return float((found[:, :, None] == truth[:, None, :]).any(axis=1).mean())
