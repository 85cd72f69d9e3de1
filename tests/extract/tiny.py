"""A backbone that costs nothing: mean and spread of colours in 16 squares; and a sound backbone like it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from compress.extract.backbones.backbone import AudioBackbone, Backbone
from compress.extract.pictures import Preprocessing

SEEN = Preprocessing(16, 16, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "bilinear")


def colours(pictures: np.ndarray) -> np.ndarray:
    """float32 (B, 3, 16, 16) -> (B, 96)."""
    squares = pictures.reshape(len(pictures), 3, 4, 4, 4, 4)
    found = [squares.mean((3, 5)), squares.std((3, 5))]
    return np.concatenate([each.reshape(len(pictures), 48) for each in found], axis=1)


def loudness(patches: np.ndarray) -> np.ndarray:
    """float32 (B, 96, 64) -> (B, 8)."""
    return patches.reshape(len(patches), 96, 8, 8).mean((1, 3))


@dataclass(frozen=True)
class TinyChoice:
    """In place of `BackboneChoice`: the same arguments, but always these two."""

    name: str = "tiny"
    weights: str | None = None
    audio: Path | None = None
    device: str = "cpu"

    def __call__(self) -> tuple[Backbone, AudioBackbone | None]:
        heard = AudioBackbone("loudness", 8, "1" * 64, loudness)
        seen = Backbone(self.name, 96, SEEN, "0" * 64, colours)
        return seen, heard if self.audio else None


def crashing(pictures: np.ndarray) -> np.ndarray:
    """`colours`; white pictures end the process."""
    if len(pictures) and pictures.min() > 0.95:
        os._exit(11)
    return colours(pictures)


@dataclass(frozen=True)
class CrashingChoice(TinyChoice):
    """`TinyChoice` whose process ends at white pictures."""

    def __call__(self) -> tuple[Backbone, AudioBackbone | None]:
        seen, heard = super().__call__()
        return replace(seen, compute=crashing), heard
