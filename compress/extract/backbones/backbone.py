"""What a backbone is: a network from the pictures of frames, or from log-mel patches, to one vector each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.errors import DataError, UnavailableError
from compress.extract.pictures import Preprocessing
from compress.machine import installed

PATCHES_AT_ONCE = 32
PICTURES_AT_ONCE = 16  # on a CPU more is not faster, and takes more memory


@dataclass(frozen=True)
class Backbone:
    """A network and what it wants to see.

    Args:
        name: as the user typed it.
        dim: of a feature vector.
        preprocessing: of the pictures.
        fingerprint: sha256 of its weights (64 hex digits): features of different weights are never mixed.
        compute: float32 input as `preprocessing` makes it -> float32 (B, dim).
    """

    name: str
    dim: int
    preprocessing: Preprocessing
    fingerprint: str
    compute: Callable[[np.ndarray], np.ndarray]

    def features(self, pictures: np.ndarray) -> np.ndarray:
        """uint8 (T, size, size, 3) RGB -> float16 (T, dim).

        Raises:
            DataError: a feature is not a finite number of half precision.
        """
        parts = [
            self.compute(self.preprocessing(pictures[first : first + PICTURES_AT_ONCE]))
            for first in range(0, len(pictures), PICTURES_AT_ONCE)
        ]
        return half(np.concatenate(parts), self.name)

    def facts(self) -> dict[str, Any]:
        """What must be the same for two features to be comparable, as JSON."""
        return {
            "name": self.name,
            "dim": self.dim,
            "weights": self.fingerprint,
            "preprocessing": self.preprocessing.to_json(),
        }


@dataclass(frozen=True)
class AudioBackbone:
    """A network from log-mel patches to features.

    Args:
        name: file name of the weights.
        dim: of a feature vector.
        fingerprint: sha256 of its weights.
        compute: float32 (B, 96, 64) -> float32 (B, dim).
    """

    name: str
    dim: int
    fingerprint: str
    compute: Callable[[np.ndarray], np.ndarray]

    def features(self, patches: np.ndarray) -> np.ndarray:
        """Log-mel patches float32 (T, 96, 64) -> float16 (T, dim)."""
        parts = [
            self.compute(patches[first : first + PATCHES_AT_ONCE])
            for first in range(0, len(patches), PATCHES_AT_ONCE)
        ]
        return half(np.concatenate(parts), self.name)

    def facts(self) -> dict[str, Any]:
        """What must be the same for two features to be comparable, as JSON."""
        return {"name": self.name, "dim": self.dim, "weights": self.fingerprint}


def half(features: np.ndarray, name: str) -> np.ndarray:
    """Features as float16; DataError where one is NaN, infinite or beyond its range."""
    with np.errstate(over="ignore"):
        small = features.astype(np.float16)
    if not np.isfinite(small).all():
        raise DataError(f"{name} gives features that are not finite, or above 65,504")
    return small


def need(module: str, package: str, wanted: str) -> None:
    """UnavailableError with the command that installs it, unless a module is there."""
    if not installed(module):
        hint = f"install it: pip install {package}"
        raise UnavailableError(f"{wanted} needs the package {package.split('[')[0]}", hint=hint)
