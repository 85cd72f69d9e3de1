"""A small store and the arguments that make it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from compress.codecs import Codec
from compress.labels import Labels
from compress.store.reader import Store, open_store
from compress.store.writer import open_writer

NUM_VIDEOS, DIM, NUM_CLASSES = 10, 4, 20


def embeddings(num_videos: int = NUM_VIDEOS, dim: int = DIM, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(num_videos, dim)).astype(np.float32)


def contents(codec: str | Codec = "float32", num_videos: int = NUM_VIDEOS, **changes: Any) -> dict[str, Any]:
    """Arguments of `open_writer`: ids with non-ASCII ones, 0 to 3 labels a video, two splits."""
    lists = [list(range(row % 4)) for row in range(num_videos)]
    middle = num_videos * 2 // 3
    return {
        "ids": np.array([f"vidéo-{row}".encode() for row in range(num_videos)]),
        "labels": Labels.from_lists(lists, NUM_CLASSES),
        "codec": Codec.fit(codec, embeddings(50, seed=9)) if isinstance(codec, str) else codec,
        "splits": {"train": (0, middle), "validate": (middle, num_videos)},
        "metadata": {"encoder": "residual_cnn", "note": "größer"},
        **changes,
    }


def write_store(path: Path, block: int = 4, **changes: Any) -> Store:
    """Make the example store, blocks of `block` rows, and open it."""
    arguments = contents(**changes)
    embedding = embeddings(len(arguments["ids"]))
    with open_writer(path, **arguments) as writer:
        for start in range(writer.rows_done, len(embedding), block):
            writer.write(embedding[start : start + block])
        writer.finish()
    return open_store(path)
