"""A world: the class structure that a seed and a number of classes stand for, and the videos that live in it.

Videos are drawn in blocks of 256 with one random stream a block, always whole, so that video i depends on
(seed, num_classes, i) alone, whatever the shards, the order or the number of videos asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.datasets.sample import features
from compress.datasets.sample.labels import Taxonomy, build_taxonomy, draw_labels

BLOCK = 256
CALIBRATION_BLOCKS = 16

# First words of the seeds of the random streams, so that none meets another.
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


@dataclass(frozen=True)
class World:
    """Everything that depends on the seed and the number of classes only."""

    seed: int
    taxonomy: Taxonomy
    appearance: features.Appearance

    @property
    def num_classes(self) -> int:
        return len(self.taxonomy.topic)

    def block(self, index: int) -> Block:
        """Videos index * BLOCK to (index + 1) * BLOCK."""
        rng = np.random.default_rng([_BLOCKS, self.seed, self.num_classes, index])
        slots = draw_labels(self.taxonomy, BLOCK, rng)
        look = self.appearance
        output = features.map_to_features(look, features.latent_points(look.styles, slots, rng))
        signal = (output - look.centre) * look.scale
        return Block(slots, features.finish_features(signal, look.spread, rng))


def build_world(seed: int, num_classes: int) -> World:
    """The world of a seed; takes a fraction of a second."""
    rng = np.random.default_rng([_WORLD, seed, num_classes])
    taxonomy = build_taxonomy(num_classes, rng)
    look = features.build_appearance(taxonomy, rng)
    calibration = np.random.default_rng([_CALIBRATION, seed, num_classes])
    return World(seed, taxonomy, _whitened(look, taxonomy, calibration))


def _whitened(look: features.Appearance, taxonomy: Taxonomy, rng: np.random.Generator) -> features.Appearance:
    """Measure mean and deviation of the map's output on videos of no shard."""
    slots = draw_labels(taxonomy, BLOCK * CALIBRATION_BLOCKS, rng)
    return features.whiten(look, features.latent_points(look.styles, slots, rng))
