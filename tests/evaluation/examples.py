"""A small workspace of videos that can be learned from: shards, encoders and their stores."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets.record import VideoRecord
from compress.encoding import encode
from compress.store.reader import Store, open_store
from compress.store.writer import open_writer
from compress.workspace import Workspace
from tests.encoding.examples import CLASSES, DIM, encoder_run, shards

TRAIN, VALIDATE = 1500, 60
JUDGED: dict[str, Any] = {"heads": ("moe", "ridge"), "seeds": 1, "head_epochs": 4, "head_mixup": 0.0}
"""Two judges, one of each kind, and a quick one: what these tests are about does not depend on them."""


def learnable(count: int, first: int = 0) -> list[VideoRecord]:
    """Videos whose features are the sum of their classes' directions, and noise."""
    directions = np.random.default_rng(99).standard_normal((CLASSES, DIM))
    videos = []
    for number in range(first, first + count):
        random = np.random.default_rng(number)
        labels = np.sort(random.choice(CLASSES - 1, size=random.integers(1, 4), replace=False))
        features = directions[labels].sum(axis=0) + 1.2 * random.standard_normal(DIM)
        # Ids in another order than the rows, so that pairing by id is put to the test.
        name = f"v{(number * 7919) % 100_003:06d}".encode()
        videos.append(VideoRecord(name, labels.astype(np.int32), features.astype(np.float32)))
    return videos


TRAINING, VALIDATION = learnable(TRAIN), learnable(VALIDATE, 10_000)


def make_workspace(root: Path) -> Workspace:
    """Runs `original` (identity) and `linear-5` (random weights, with a head), and a store of each."""
    splits = {"train": shards(root, "train", TRAINING), "validate": shards(root, "validate", VALIDATION)}
    workspace = Workspace(
        root, (str(root / "train*.tfrecord"),), (str(root / "validate*.tfrecord"),), num_classes=CLASSES
    )
    encoder_run(workspace.run("original"), "identity")
    encoder_run(workspace.run("linear-5"), head="moe")
    for run, codec, name in (
        ("original", "float32", "original"),
        ("original", "int8", "original-int8"),
        ("linear-5", "float32", "linear-5"),
    ):
        encode(workspace.run(run), splits, workspace.store(name), codec=codec)
    return workspace


def rewritten(
    workspace: Workspace, source: str, name: str, order: np.ndarray | None = None, **changes: Any
) -> Store:
    """A store like another one, with some rows only, in another order, or with other contents."""
    store = open_store(workspace.store(source))
    assert store.labels is not None
    order = np.arange(len(store)) if order is None else order
    trained = int(np.sum(order < TRAIN))
    contents = {
        "ids": np.array(store.id_bytes)[order],
        "labels": store.labels.take(order),
        "codec": store.codec,
        "splits": {"train": (0, trained), "validate": (trained, len(order))},
        "metadata": store.metadata,
        **changes,
    }
    with open_writer(workspace.store(name), **contents) as writer:
        writer.write(store.rows(order))
        writer.finish()
    return open_store(workspace.store(name))


def multi_hot(videos: list[VideoRecord]) -> np.ndarray:
    """bool (N, C)."""
    labels = np.zeros((len(videos), CLASSES), dtype=bool)
    for row, video in zip(labels, videos, strict=True):
        row[video.labels] = True
    return labels


def by_id(videos: list[VideoRecord]) -> list[VideoRecord]:
    """In the order in which they are measured."""
    return sorted(videos, key=lambda video: video.video_id)


def is_interval(found: dict[str, float]) -> bool:
    """Whether the value lies in its interval, and all are numbers."""
    return all(map(math.isfinite, found.values())) and found["low"] <= found["value"] <= found["high"]
