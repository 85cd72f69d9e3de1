"""PCA with whitening and 8-bit quantisation, as YouTube-8M does it; fitted once, kept, and used again.

Source: Abu-El-Haija et al., YouTube-8M: A Large-Scale Video Classification Benchmark (2016), section 3.2,
and the quantiser of its feature extractor: 256 equal steps from -2 to 2, which every reader of its shards
expects.

Two things follow from the data. Below about the total variance over the number of videos, an eigenvalue
cannot be told from chance, and dividing by its root would make noise of it: of four videos, any two would be
equally far apart. So three times that is added to each eigenvalue, which with many videos comes to nothing.
And one factor for all components puts the 256 steps where the values are. docs/experiments.md has figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from compress.errors import DataError
from compress.progress import check_interrupt, uninterrupted

COMPONENTS = 1024
STEP = 4 / 255  # between two quantised values
LOWEST = 4 / 512 - 2  # what readers make of 0
_CHANCE = 3.0  # times the total variance over the number of videos
_LEAST = 1e-4  # of the mean eigenvalue: no division by 0 for a feature that never moves
_HISTOGRAM_BINS, _HISTOGRAM_END = 4096, 64.0  # of the size of whitened values, in standard deviations
_FACTORS = np.geomspace(0.05, 50.0, 128)

Frames = Callable[[], Iterable[np.ndarray]]
"""Gives the features of the training videos, float16 (T, D) each, as often as it is called."""


@dataclass(frozen=True)
class Projection:
    """From features to the bytes of a shard.

    Args:
        mean: float32 (D,).
        components: float32 (K, D), whitened and multiplied by the factor: bytes are steps of their products.
        eigenvalues: float64 (D,), of the covariance, largest first.
        added: to each eigenvalue before its root divides.
        factor: of all components.
        videos, frames: that it was fitted on.
    """

    mean: np.ndarray
    components: np.ndarray
    eigenvalues: np.ndarray
    added: float
    factor: float
    videos: int
    frames: int

    @property
    def dim(self) -> int:
        """K, the bytes of a frame."""
        return len(self.components)

    @property
    def whitening(self) -> float:
        """How far the variances of the K components were made equal: 1 fully, 0 not at all."""
        kept = self.eigenvalues[: self.dim]
        used = kept / (kept + self.added)
        return float((kept * used).sum() / kept.sum())

    def values(self, features: np.ndarray) -> np.ndarray:
        """float16 (T, D) -> float32 (T, K), before quantisation."""
        centred = features.astype(np.float32) - self.mean
        products: np.ndarray = centred @ self.components.T
        return products

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """float16 (T, D) -> uint8 (T, K)."""
        return quantize(self.values(features))


def quantize(values: np.ndarray) -> np.ndarray:
    """To the nearest of the 256 values that readers of YouTube-8M make of a byte."""
    return np.clip(np.rint((values - LOWEST) / STEP), 0, 255).astype(np.uint8)


def dequantize(frames: np.ndarray) -> np.ndarray:
    """uint8 -> float32, as readers of YouTube-8M do."""
    return (frames * np.float64(STEP) + LOWEST).astype(np.float32)


def fit(frames: Frames, components: int = COMPONENTS) -> Projection:
    """Fit the projection on the training videos, which are read twice.

    Args:
        frames: the features of each video.
        components: K at most; no more than the features have.

    Raises:
        DataError: no two frames differ.
    """
    mean, covariance, videos, count = _moments(frames)
    average = float(np.trace(covariance)) / len(mean)
    if count < 2 or not average > 0:
        what = f"PCA needs frames that differ; there are {count:,} frames of {videos:,} videos to fit it on"
        raise DataError(
            what, hint="add videos, or use a projection that was fitted before: --projection FOLDER"
        )
    added = average * (_CHANCE * len(mean) / videos + _LEAST)
    values, vectors = uninterrupted(lambda: np.linalg.eigh(covariance))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    kept = vectors[:, : min(components, len(mean))].T
    # An eigenvector's sign is arbitrary; with the largest entry positive, the same data give the same one.
    kept = kept * np.sign(np.take_along_axis(kept, np.abs(kept).argmax(1)[:, None], 1))
    whitened = kept / np.sqrt(values[: len(kept)] + added)[:, None]
    plain = Projection(
        mean.astype(np.float32), whitened.astype(np.float32), values, added, 1.0, videos, count
    )
    factor = _best_factor(plain, frames)
    return replace(plain, components=(whitened * factor).astype(np.float32), factor=factor)


def _moments(frames: Frames) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Mean (D,) and covariance (D, D) in float64, the number of videos and of frames."""
    total, products = np.float64(0), np.float64(0)
    videos = count = 0
    origin: np.ndarray | None = None
    for video in frames():
        check_interrupt()
        # Sums about a frame, not about zero, keep small variances exact.
        origin = video[0].astype(np.float64) if origin is None else origin
        rows = video - origin
        total, products = total + rows.sum(0), products + rows.T @ rows
        videos, count = videos + 1, count + len(rows)
    if origin is None:
        raise DataError("there is no video to fit the PCA on", hint="add videos, or use --projection FOLDER")
    mean = np.asarray(total) / count
    return origin + mean, np.asarray(products) / count - np.outer(mean, mean), videos, count


def _best_factor(plain: Projection, frames: Frames) -> float:
    """The factor with the least error of quantisation, relative to the values, over the training frames."""
    edges = np.linspace(0, _HISTOGRAM_END, _HISTOGRAM_BINS + 1)
    found = np.zeros(_HISTOGRAM_BINS)
    for video in frames():
        check_interrupt()
        sizes = np.minimum(np.abs(plain.values(video)), _HISTOGRAM_END)
        found += np.histogram(sizes, edges)[0]
    middles = (edges[1:] + edges[:-1]) / 2
    ends = 2 / _FACTORS[:, None]
    errors = np.where(middles > ends, np.square(middles - ends), np.square(STEP / _FACTORS[:, None]) / 12)
    return float(_FACTORS[int(np.argmin(errors @ found))])
