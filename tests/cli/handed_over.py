"""A store in the current folder: random videos, some of them nearly the same, with ids of every kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from compress.codecs.float32 import Float32
from compress.labels import Labels
from compress.store.writer import open_writer

NUM, DIM = 60, 8
IDS = [f"v{row:02d}" for row in range(NUM)]
IDS[:6] = ["-abc", "a b", "ünï", "<script>", "=cmd|' /C calc'!A0", "tab\tid"]


def rows() -> np.ndarray:
    """Float32 (60, 8): 10 and 50 are like 0, 51 like 50, 30 the same as 20 but longer; 40 is zero."""
    made = np.random.default_rng(3).standard_normal((NUM, DIM)).astype(np.float32)
    made[10], made[50] = made[0] + 0.02 * made[1], made[0] + 0.1 * made[2]
    made[51] = made[50] + 0.1 * made[3]
    made[30], made[40] = 3 * made[20], 0
    return made


def classes() -> list[list[int]]:
    """The labels of each video: row modulo 3, and 3 for the first ten."""
    return [[row % 3] + [3] * (row < 10) for row in range(NUM)]


def write_store(path: Path, embeddings: np.ndarray, ids: list[str] = IDS) -> Path:
    """A store of float32 with names of its four classes, and the splits train and validate."""
    path.parent.mkdir(exist_ok=True)
    writer = open_writer(
        path,
        ids=np.array([name.encode() for name in ids]),
        labels=Labels.from_lists(classes(), 4),
        codec=Float32(embeddings.shape[1]),
        splits={"train": (0, 40), "validate": (40, len(ids))},
        metadata={"class_names": ["red", "green", "blue", "=first"]},
    )
    with writer:
        writer.write(embeddings)
        writer.finish()
    return path
