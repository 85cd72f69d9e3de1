"""A backbone: a network from the pictures of frames to one feature vector each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from compress.errors import DataError, UnavailableError
from compress.extract.backbones.weights import fingerprint
from compress.extract.pictures import Preprocessing
from compress.machine import installed

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


def half(features: np.ndarray, name: str) -> np.ndarray:
    """Features as float16; DataError where one is NaN, infinite or beyond its range."""
    with np.errstate(over="ignore"):
        small = features.astype(np.float16)
    if not np.isfinite(small).all():
        raise DataError(f"{name} gives features that are not finite, or above 65,504")
    return small


def torch_backbone(
    name: str,
    network: nn.Module,
    preprocessing: Preprocessing,
    device: str,
    embed: Callable[[Tensor], Tensor] | None = None,
) -> Backbone:
    """A backbone that torch computes.

    Args:
        network: with its weights; it is put on `device` and in evaluation mode.
        preprocessing: of layout NCHW.
        embed: pictures (B, 3, size, size) -> (B, dim); None: the network itself.
    """
    network = convert_conv2d_weight_memory_format(
        network.eval().to(device), torch.channels_last
    )  # 1.5 times as fast
    embed = embed or network

    def given(pictures: np.ndarray) -> Tensor:
        return torch.from_numpy(pictures).to(device, memory_format=torch.channels_last)

    @torch.inference_mode()
    def compute(pictures: np.ndarray) -> np.ndarray:
        found: np.ndarray = embed(given(pictures)).float().flatten(1).cpu().numpy()
        return found

    blank = np.zeros((1, preprocessing.size, preprocessing.size, 3), dtype=np.uint8)
    dim = compute(preprocessing(blank)).shape[1]
    return Backbone(name, dim, preprocessing, fingerprint(network), compute)


def need(module: str, package: str, wanted: str) -> None:
    """UnavailableError with the command that installs it, unless a module is there."""
    if not installed(module):
        hint = f"install it: pip install {package}"
        raise UnavailableError(f"{wanted} needs the package {package.split('[')[0]}", hint=hint)
