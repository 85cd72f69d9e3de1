"""Invented videos that are easy to tell apart: the sum of the directions of their classes, and noise."""

from __future__ import annotations

import numpy as np


def make_videos(
    videos: int = 400, classes: int = 6, dims: int = 24, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 (n, D) and labels bool (n, C); every video has at least one class."""
    directions = np.random.default_rng(1).normal(size=(classes, dims))
    random = np.random.default_rng([2, seed])
    labels = random.random((videos, classes)) < 0.1
    labels[np.arange(videos), random.integers(classes, size=videos)] = True
    noise = random.normal(size=(videos, dims))
    return (labels @ directions + 0.5 * noise).astype(np.float32), labels
