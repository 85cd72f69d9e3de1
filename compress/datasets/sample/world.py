"""A synthetic world: the classes of a seed and a number of classes, and the videos in it.

Features follow from labels: labels -> styles -> a latent point -> a random map -> 1152 features. As on real
video, a linear model is not enough, for three reasons: a class has several styles (modes) in different
directions, labels of the same video interact by products, and the map saturates.

Videos are drawn in whole blocks of 256 with one random stream per block, so video i depends on (seed,
num_classes, i) only, whatever the shards, the order or the number of videos. The products of the map are
exact: their factors are small integers over a power of two, so every partial sum fits a float32. So the
features do not depend on the number of threads or the linear algebra library.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.datasets.sample.frames import HIGHEST, LOWEST
from compress.datasets.sample.labels import Taxonomy, build_taxonomy, draw_labels

BLOCK = 256
CALIBRATION_BLOCKS = 16
VISUAL, AUDIO = 1024, 128

LATENT, HIDDEN, STYLES = 96, 512, 3
STYLE_CHANCE = (0.45, 0.3, 0.25)
INHERITED = 0.5  # how much a class looks like its parent
SHARED_BY_STYLES = 0.55  # how much the styles of a class have in common; 1 would be one mode per class
INTERACTION = 0.7
LATENT_NOISE = 0.9
SIGNAL = 0.27  # share of the variance of a feature that the labels and the latent noise explain
NORM_SPREAD = 0.36  # real norms of mean_rgb: 6.8, 12.7, 24.4 at 5, 50, 95 %
AUDIO_NORM_SPREAD = 0.27  # mean_audio: 4.6, 7.1, 11.6
GRID = 64.0  # steps per unit of the inputs of both layers
LATENT_LIMIT = 8.0  # standard deviations
MAP_LEVELS = 7  # weights of both layers are integers in [-7, 7]

# First words of the seeds of the random streams, so that none meets another; the writer has 4.
_WORLD, _CALIBRATION, _BLOCKS = 1, 2, 3


@dataclass(frozen=True)
class Block:
    """BLOCK consecutive videos.

    Args:
        slots: int32 (BLOCK, SLOTS) classes, primary first, -1 for none.
        features: float32 (BLOCK, 1152), visual then audio, each in [-1.9921875, 2.0078125].
    """

    slots: np.ndarray
    features: np.ndarray

    def labels(self, row: int) -> np.ndarray:
        """Classes of one video, ascending, int32 (n,)."""
        slots = self.slots[row]
        return np.sort(slots[slots >= 0])


class World:
    """What depends on the seed and the number of classes only; built in a fraction of a second."""

    def __init__(self, seed: int, num_classes: int) -> None:
        self.seed, self.num_classes = seed, num_classes
        rng = np.random.default_rng([_WORLD, seed, num_classes])
        self.taxonomy = build_taxonomy(num_classes, rng)
        self._styles = _styles(self.taxonomy, rng)
        self._first = _weights((LATENT, HIDDEN), rng)
        self._bias = (0.5 * rng.standard_normal(HIDDEN)).astype(np.float32)
        self._second = _weights((HIDDEN, VISUAL + AUDIO), rng)
        self._whiten(np.random.default_rng([_CALIBRATION, seed, num_classes]))

    def block(self, index: int) -> Block:
        """Videos index * BLOCK to (index + 1) * BLOCK."""
        rng = np.random.default_rng([_BLOCKS, self.seed, self.num_classes, index])
        slots = draw_labels(self.taxonomy, BLOCK, rng)
        signal = (self._map(self._points(slots, rng)) - self._centre) * self._scale
        return Block(slots, _finish(signal, rng))

    def _whiten(self, rng: np.random.Generator) -> None:
        """Measure mean and deviation of latent points and of the map's outputs, on videos in no shard."""
        points = self._points(draw_labels(self.taxonomy, BLOCK * CALIBRATION_BLOCKS, rng), rng)
        exact = points.astype(np.float64)
        values, vectors = np.linalg.eigh(np.cov(exact.T))
        # Whitened like real features, so that the most frequent topics do not dominate.
        self._middle, self._whitener = exact.mean(axis=0), (vectors / np.sqrt(values)) @ vectors.T
        outputs = self._map(points).astype(np.float64)
        self._centre = np.rint(outputs.mean(axis=0)).astype(np.float32)
        self._scale = (1.0 / outputs.std(axis=0)).astype(np.float32)

    def _points(self, slots: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Latent points of videos with these classes: float32 (n, LATENT), of length about 1."""
        style = rng.choice(STYLES, size=slots.shape, p=STYLE_CHANCE)
        visible = rng.uniform(0.45, 1.0, size=slots.shape).astype(np.float32)
        visible[:, 0] = 1.0
        visible[slots < 0] = 0.0
        visible /= np.sqrt((visible**2).sum(axis=1, keepdims=True))
        parts = self._styles[slots, style] * visible[:, :, None]
        primary, others = parts[:, 0], parts[:, 1:].sum(axis=1)
        # Unit vectors have entries of 1 / sqrt(LATENT): the factor makes products as large as the parts.
        met = np.roll(primary, 1, axis=1) * others * np.float32(INTERACTION * np.sqrt(LATENT))
        noise = rng.standard_normal(primary.shape, dtype=np.float32)
        return primary + others + met + noise * np.float32(LATENT_NOISE / np.sqrt(LATENT))

    def _map(self, points: np.ndarray) -> np.ndarray:
        """The random two-layer map: (n, LATENT) -> float32 (n, 1152), exact in any order of the sums."""
        white = np.clip((points - self._middle) @ self._whitener, -LATENT_LIMIT, LATENT_LIMIT)
        steps = np.rint(white * GRID).astype(np.float32)
        deviation = np.sqrt(MAP_LEVELS * (MAP_LEVELS + 1) / 3.0)  # of the integer weights
        inner = (steps @ self._first).astype(np.float64) / (GRID * deviation * np.sqrt(LATENT))
        hidden = np.rint(np.tanh(inner + self._bias) * GRID).astype(np.float32)
        return hidden @ self._second


def _styles(taxonomy: Taxonomy, rng: np.random.Generator) -> np.ndarray:
    """The direction of each style of a class, unit vectors float32 (C, STYLES, LATENT)."""
    num_classes = len(taxonomy.topic)
    topics = _unit(rng.standard_normal((taxonomy.num_topics, LATENT)))
    own = _unit(rng.standard_normal((num_classes, LATENT)))
    base = np.empty((num_classes, LATENT))
    # By depth, because a parent may be less popular than its child.
    depth = (taxonomy.ancestors >= 0).sum(axis=1)
    for level in range(depth.max() + 1):
        rows = np.flatnonzero(depth == level)
        above = base[taxonomy.ancestors[rows, 0]] if level else topics[taxonomy.topic[rows]]
        base[rows] = _unit(INHERITED * above + (1.0 - INHERITED) * own[rows])
    apart = _unit(rng.standard_normal((num_classes, STYLES, LATENT)))
    return _unit(SHARED_BY_STYLES * base[:, None] + (1.0 - SHARED_BY_STYLES) * apart).astype(np.float32)


def _weights(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return rng.integers(-MAP_LEVELS, MAP_LEVELS + 1, size=shape).astype(np.float32)


def _finish(signal: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """White signal -> features float32 (n, 1152): add noise, give each video its norm, clip."""
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    mixed = np.float32(np.sqrt(SIGNAL)) * signal + np.float32(np.sqrt(1.0 - SIGNAL)) * noise
    # The mean of few scenes has a large norm, many average out; rgb and audio share a part of it.
    shared, visual, audio = rng.standard_normal((3, len(signal)))
    mixed[:, :VISUAL] *= _norm_factor(0.8 * shared + 0.6 * visual, NORM_SPREAD)
    mixed[:, VISUAL:] *= _norm_factor(0.8 * shared + 0.6 * audio, AUDIO_NORM_SPREAD)
    # Standard deviations fall with the index, as measured on real mean_rgb (0.75 to 0.40) and mean_audio.
    rgb_spread = 0.405 + 0.36 * np.exp(-np.arange(VISUAL) / 110.0)
    audio_spread = 0.595 + 0.33 * np.exp(-np.arange(AUDIO) / 25.0)
    spread = np.concatenate([rgb_spread, audio_spread]).astype(np.float32)
    return np.clip(mixed * spread, LOWEST, HIGHEST).astype(np.float32)


def _norm_factor(normal: np.ndarray, spread: float) -> np.ndarray:
    """Log-normal with a mean square of 1: float32 (n, 1)."""
    return np.exp(spread * normal - spread**2).astype(np.float32)[:, None]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
