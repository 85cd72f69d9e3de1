"""Small tables that can be learned, small recipes, and a run folder as one value."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets.schema import FeatureSchema
from compress.datasets.table import FrameTable, VideoTable
from compress.labels import Labels
from compress.progress import Event, Progress, Reporter, request_interrupt
from compress.training import TrainConfig
from compress.training.inputs import Table

DIM, CLASSES = 16, 12


def video_table(videos: int = 40, *, seed: int = 0, dim: int = DIM, noise: float = 0.5) -> VideoTable:
    """Videos whose features are the sum of their classes' directions, and noise; one to three labels each."""
    random = np.random.default_rng(seed)
    labels = _labels(random, videos)
    features = labels.multi_hot() @ _directions(dim) + noise * random.standard_normal((videos, dim))
    schema = FeatureSchema("video", ("mean",), (dim,), CLASSES, "id")
    return VideoTable(_ids(videos, seed), features.astype(np.float32), labels, schema)


def frame_table(videos: int = 24, *, seed: int = 0, dim: int = DIM) -> FrameTable:
    """The same with two to six quantised frames a video."""
    random = np.random.default_rng(seed)
    labels, lengths = _labels(random, videos), random.integers(2, 7, videos)
    centres = (labels.multi_hot() @ _directions(dim)).repeat(lengths, axis=0)
    frames = centres + 0.3 * random.standard_normal(centres.shape)
    codes = np.clip(np.round((frames + 2) * 255 / 4), 0, 255).astype(np.uint8)
    schema = FeatureSchema("frame", ("rgb",), (dim,), CLASSES, "id")
    return FrameTable(_ids(videos, seed), codes, np.concatenate([[0], np.cumsum(lengths)]), labels, schema)


LINEAR = TrainConfig("linear", {"dim": 8, "norm": True, "dropout": 0.3}, epochs=3, batch_size=16)
RESIDUAL_CNN = TrainConfig(
    "residual_cnn",
    {"dim": 8, "width": 0.03, "branch_gain": 0.0, "embedding_norm": True, "embedding_dropout": 0.3},
    epochs=3,
    warm_epochs=1,
    batch_size=16,
    input_dropout=0.1,
)
LSTM = TrainConfig("lstm", {"dim": 8, "sizes": [10, 8]}, epochs=3, batch_size=8, clip_norm=1.0)
IDENTITY = TrainConfig("identity", head="logistic", epochs=2, batch_size=16, warmup_steps=0)


def tables(config: TrainConfig) -> tuple[Table, Table]:
    """Training and validation videos for a recipe of this file."""
    if config.encoder == "lstm":
        return frame_table(), frame_table(10, seed=1)
    return video_table(), video_table(20, seed=1)


def contents(run: Path) -> dict[str, bytes]:
    """Every file of a run by its path, which holds the sha256 of what is in it; the log without its times.

    Not lock files: one that a killed process leaves is free, and stays until somebody locks it again.
    """
    files = (path for path in run.rglob("*") if path.is_file() and path.suffix != ".lock")
    found = {str(path.relative_to(run)): path.read_bytes() for path in files}
    return {name: without_times(data) if name == "log.jsonl" else data for name, data in found.items()}


def without_times(log: bytes) -> bytes:
    """A log without its "cpu_seconds", which no two trainings share, nor the seals that cover them."""
    return re.sub(rb'"cpu_seconds": [0-9.]+, |, "seal": "sha256:[0-9a-f]{64}"', b"", log)


def interrupt_after(steps: int, signal_number: int = signal.SIGINT) -> Reporter:
    """A reporter that asks to stop while the given step (from 1) is reported."""
    return on_step(steps, lambda: request_interrupt(signal_number))


def on_step(step: int, action: Callable[[], None]) -> Reporter:
    """A reporter that acts once, while the given step (from 1) of this process is reported."""
    seen = 0

    def report(event: Event) -> None:
        nonlocal seen
        if isinstance(event, Progress):
            seen += 1
            if seen == step:
                action()

    return report


def with_labels(table: Any, labels: Labels) -> Any:
    """The table with other labels."""
    return replace(table, labels=labels, schema=replace(table.schema, num_classes=labels.num_classes))


def _directions(dim: int) -> np.ndarray:
    return np.random.default_rng(99).standard_normal((CLASSES, dim))


def _labels(random: np.random.Generator, videos: int) -> Labels:
    chances = 1 / np.arange(1, CLASSES + 1)
    rows = [
        random.choice(CLASSES, size=random.integers(1, 4), replace=False, p=chances / chances.sum()).tolist()
        for _ in range(videos)
    ]
    return Labels.from_lists(rows, CLASSES)


def _ids(videos: int, seed: int) -> np.ndarray:
    return np.array([f"{'vwxyz'[seed % 5]}{number:04}" for number in range(videos)], dtype=np.bytes_)
