"""What an invented video looks like: labels -> styles -> a latent point -> a random map -> 1152 features.

Three things make a linear model fall short, as on real video: a class has several styles (modes) that lie in
different directions, labels that meet in a video multiply into each other, and the map to the features
saturates.

The products of the map are exact: their factors are small integers over a power of two, so that every partial
sum fits a float32. The features do not depend on the number of threads or on the linear algebra library.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from compress.datasets.sample.labels import Taxonomy

VISUAL, AUDIO = 1024, 128
LOWEST, HIGHEST = 4 / 512 - 2, 255 * 4 / 255 + 4 / 512 - 2  # what a quantised frame can hold

LATENT = 96
HIDDEN = 512
STYLES = 3
STYLE_CHANCE = (0.45, 0.3, 0.25)
INHERITED = 0.5  # how much a class looks like its parent
SHARED_BY_STYLES = 0.55  # how much the styles of a class have in common; 1 would be one mode a class
INTERACTION = 0.7
LATENT_NOISE = 0.9
GAIN = 1.0
SIGNAL = 0.27  # share of the variance of a feature that the labels and the latent noise explain
NORM_SPREAD = 0.36  # real norms of mean_rgb: 6.8, 12.7, 24.4 at 5, 50, 95 %
AUDIO_NORM_SPREAD = 0.27  # mean_audio: 4.6, 7.1, 11.6
LATENT_STEP, HIDDEN_STEP = 64.0, 64.0  # grids of the two layers' inputs
LATENT_LIMIT = 8.0  # standard deviations
MAP_LEVELS = 7  # weights of both layers are integers in [-7, 7]


@dataclass(frozen=True)
class Appearance:
    """The part of a world that turns labels into features.

    Args:
        styles: float32 (C, STYLES, LATENT), where each style of a class lies.
        first: float32 (LATENT, HIDDEN) and second: float32 (HIDDEN, 1152), integer weights of the map.
        bias: float32 (HIDDEN,).
        middle: float64 (LATENT,) and whitener: float64 (LATENT, LATENT), give latent points unit covariance.
        centre, scale: float32 (1152,), whiten the map's output: feature = (output - centre) * scale.
        spread: float32 (1152,), standard deviation of each feature, falling with its index as in mean_rgb.
    """

    styles: np.ndarray
    first: np.ndarray
    second: np.ndarray
    bias: np.ndarray
    middle: np.ndarray
    whitener: np.ndarray
    centre: np.ndarray
    scale: np.ndarray
    spread: np.ndarray


def build_styles(taxonomy: Taxonomy, rng: np.random.Generator) -> np.ndarray:
    """Latent directions of unit length per style: float32 (C, STYLES, LATENT)."""
    num_classes = len(taxonomy.topic)
    topics = _unit(rng.standard_normal((taxonomy.num_topics, LATENT)))
    own = _unit(rng.standard_normal((num_classes, LATENT)))
    base = np.empty((num_classes, LATENT))
    # A parent need not come before its child in order of popularity: go by depth.
    depth = (taxonomy.ancestors >= 0).sum(axis=1)
    for level in range(depth.max() + 1):
        rows = np.flatnonzero(depth == level)
        above = base[taxonomy.ancestors[rows, 0]] if level else topics[taxonomy.topic[rows]]
        base[rows] = _unit(INHERITED * above + (1.0 - INHERITED) * own[rows])
    apart = _unit(rng.standard_normal((num_classes, STYLES, LATENT)))
    return _unit(SHARED_BY_STYLES * base[:, None] + (1.0 - SHARED_BY_STYLES) * apart).astype(np.float32)


def latent_points(styles: np.ndarray, slots: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Where videos lie.

    Args:
        styles: float32 (C, STYLES, LATENT).
        slots: int32 (n, SLOTS) classes, primary first, -1 for none.

    Returns:
        float32 (n, LATENT), of length about 1.
    """
    style = rng.choice(STYLES, size=slots.shape, p=STYLE_CHANCE)
    visible = rng.uniform(0.45, 1.0, size=slots.shape).astype(np.float32)
    visible[:, 0] = 1.0
    visible[slots < 0] = 0.0
    visible /= np.sqrt((visible**2).sum(axis=1, keepdims=True))
    parts = styles[slots, style] * visible[:, :, None]
    primary, others = parts[:, 0], parts[:, 1:].sum(axis=1)
    # Unit vectors have entries of 1 / sqrt(LATENT): the factor makes their products as large as the parts.
    met = np.roll(primary, 1, axis=1) * others * np.float32(INTERACTION * np.sqrt(LATENT))
    noise = rng.standard_normal(primary.shape, dtype=np.float32) * np.float32(LATENT_NOISE / np.sqrt(LATENT))
    return primary + others + met + noise


def build_appearance(taxonomy: Taxonomy, rng: np.random.Generator) -> Appearance:
    """Draw styles and map; `whiten` has still to set centre and scale."""
    outputs = VISUAL + AUDIO
    return Appearance(
        styles=build_styles(taxonomy, rng),
        first=rng.integers(-MAP_LEVELS, MAP_LEVELS + 1, size=(LATENT, HIDDEN)).astype(np.float32),
        bias=(0.5 * rng.standard_normal(HIDDEN)).astype(np.float32),
        second=rng.integers(-MAP_LEVELS, MAP_LEVELS + 1, size=(HIDDEN, outputs)).astype(np.float32),
        middle=np.zeros(LATENT),
        whitener=np.eye(LATENT),
        centre=np.zeros(outputs, dtype=np.float32),
        scale=np.ones(outputs, dtype=np.float32),
        spread=feature_spread(),
    )


def map_to_features(look: Appearance, points: np.ndarray) -> np.ndarray:
    """The random two-layer map: (n, LATENT) -> float32 (n, 1152), exact whatever the order of the sums."""
    white = np.clip((points - look.middle) @ look.whitener, -LATENT_LIMIT, LATENT_LIMIT)
    steps = np.rint(white * LATENT_STEP).astype(np.float32)
    deviation = np.sqrt(MAP_LEVELS * (MAP_LEVELS + 1) / 3.0)  # of the integer weights
    inner = (steps @ look.first).astype(np.float64) / (LATENT_STEP * deviation * np.sqrt(LATENT))
    hidden = np.rint(np.tanh(GAIN * inner + look.bias) * HIDDEN_STEP).astype(np.float32)
    return hidden @ look.second


def whiten(look: Appearance, points: np.ndarray) -> Appearance:
    """Set what makes latent points and the map's outputs white, from points of many videos, (n, LATENT)."""
    exact = points.astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(exact.T))
    # No topic may fill the features as the most frequent ones would: real features are whitened as well.
    whitener = (vectors / np.sqrt(values)) @ vectors.T
    look = replace(look, middle=exact.mean(axis=0), whitener=whitener)
    outputs = map_to_features(look, points).astype(np.float64)
    scale = (1.0 / outputs.std(axis=0)).astype(np.float32)
    return replace(look, centre=np.rint(outputs.mean(axis=0)).astype(np.float32), scale=scale)


def feature_spread() -> np.ndarray:
    """Standard deviations as measured on real mean_rgb (0.75 to 0.40) and mean_audio (0.95 to 0.60)."""
    visual = 0.405 + 0.36 * np.exp(-np.arange(VISUAL) / 110.0)
    audio = 0.595 + 0.33 * np.exp(-np.arange(AUDIO) / 25.0)
    return np.concatenate([visual, audio]).astype(np.float32)


def finish_features(signal: np.ndarray, spread: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add what nothing explains, give each video its norm, clip: white signal -> float32 (n, 1152)."""
    noise = rng.standard_normal(signal.shape, dtype=np.float32)
    mixed = np.float32(np.sqrt(SIGNAL)) * signal + np.float32(np.sqrt(1.0 - SIGNAL)) * noise
    # The mean of few scenes has a large norm, many average out; rgb and audio share a part of it.
    shared, visual, audio = rng.standard_normal((3, len(signal)))
    rgb = _norm_factor(0.8 * shared + 0.6 * visual, NORM_SPREAD)
    sound = _norm_factor(0.8 * shared + 0.6 * audio, AUDIO_NORM_SPREAD)
    mixed[:, :VISUAL] *= rgb
    mixed[:, VISUAL:] *= sound
    return np.clip(mixed * spread, LOWEST, HIGHEST).astype(np.float32)


def _norm_factor(normal: np.ndarray, spread: float) -> np.ndarray:
    """Log-normal with a mean square of 1: float32 (n, 1)."""
    return np.exp(spread * normal - spread**2).astype(np.float32)[:, None]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
