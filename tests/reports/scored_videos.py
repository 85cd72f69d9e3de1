"""Validation videos with scores and labels, small enough to be measured by loops."""

from __future__ import annotations

import numpy as np

from compress.evaluation.row import Role
from compress.metrics import MetricAccumulator, TopScores
from compress.reports.classes.frequency import ScoredClasses, scored_classes

CLASSES, VIDEOS = 60, 150


def labels(seed: int = 0) -> np.ndarray:
    """bool (VIDEOS, CLASSES): falling as 1 / (c + 1) over the classes c; the last few never occur."""
    chances = 0.6 / np.arange(1, CLASSES + 1)
    chances[-8:] = 0
    return np.random.default_rng(seed).random((VIDEOS, CLASSES)) < chances


def scores(noise: float, seed: int) -> np.ndarray:
    """float32 (VIDEOS, CLASSES) in (0, 1): the labels under noise; coarse, so that there are ties."""
    drawn = np.random.default_rng(seed).random((VIDEOS, CLASSES))
    return np.round((labels() + noise * drawn) / (1 + noise), 2).astype(np.float32)


def top(noise: float, seed: int = 1, of: np.ndarray | None = None) -> TopScores:
    """What an evaluation keeps of `scores`."""
    metrics = MetricAccumulator(CLASSES)
    metrics.update(scores(noise, seed), labels() if of is None else of)
    return metrics.top()


def train_counts() -> np.ndarray:
    """int64 (CLASSES,): from 2500 training videos down to 0."""
    counts = (2500 / np.arange(1, CLASSES + 1) ** 1.7).astype(np.int64)
    counts[-12:-9] = 0
    return counts


def scored(name: str, noise: float, role: Role = "encoder") -> ScoredClasses:
    """A row of these videos; the more noise the worse."""
    return scored_classes(name, f"Title of {name}", role, top(noise), train_counts())
