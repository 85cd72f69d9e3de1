"""Invented measurements of a baseline and of stores, drawn anew for every world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.evaluation.promises import Candidate, Scores
from compress.evaluation.scores import QueryPrecision
from compress.metrics import MetricAccumulator

CLASSES = 25


@dataclass(frozen=True)
class World:
    """One sample of videos: its ids, the baseline, and stores with fewer bytes one after the other."""

    ids: np.ndarray
    baseline: Scores
    stores: tuple[Scores, ...]

    @property
    def candidates(self) -> list[Candidate]:
        """store-0 of 100 bytes, store-1 of 99, ..."""
        return [
            Candidate(f"store-{number}", 100 - number, lambda kept=kept: kept)
            for number, kept in enumerate(self.stores)
        ]


def world(seed: int, noises: list[float], videos: int = 240) -> World:
    """Videos of frequent and rare classes; a store's scores are the baseline's under noise of its own.

    Args:
        seed: another one, other videos.
        noises: of each store, >= 0; a store without noise answers what the baseline answers.
        videos: N; about half of them are searched for too.
    """
    draws = np.random.default_rng(seed)
    ids = np.array([f"{number:012x}".encode() for number in np.sort(draws.integers(0, 1 << 48, videos))])
    labels = draws.random((videos, CLASSES)) < 0.9 / np.arange(1, CLASSES + 1)
    labels[~labels.any(axis=1), 0] = True  # a video without labels is not measured
    logits = 3 * labels + 1.3 * draws.normal(size=labels.shape) - np.log(np.arange(1, CLASSES + 1))
    queries = np.flatnonzero(draws.random(videos) < 0.5)
    easy = draws.beta(2, 1, len(queries))
    stores = []
    for noise in [0.0, *noises]:
        shown = logits + noise * draws.normal(size=labels.shape)
        metrics = MetricAccumulator(CLASSES)
        metrics.update((1 / (1 + np.exp(-shown))).astype(np.float32), labels)
        lost = noise * (0.1 + 0.2 * draws.normal(size=len(queries)))
        precision = QueryPrecision(queries, np.clip(np.round(10 * (easy - lost)), 0, 10) / 10)
        stores.append(Scores(metrics.top(), precision))
    return World(ids, stores[0], tuple(stores[1:]))
