"""All videos of a video-level source as arrays, from which training slices its batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from compress.datasets.labels import Labels
from compress.datasets.schema import FeatureSchema


class FeatureRows(Protocol):
    """What is read like a float32 array (N, D): whole rows by number or by slice."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray | slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class VideoTable:
    """N videos at video level.

    Args:
        ids: (N,) S<w>, in reading order.
        features: float32 (N, D), possibly a read-only memory map, or anything that is read like one.
        labels: of the N videos; rows are empty where a video is unlabelled.
        schema: what the source held.
    """

    ids: np.ndarray
    features: np.ndarray | FeatureRows
    labels: Labels
    schema: FeatureSchema

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Copies of some rows.

        Args:
            rows: int64 (B,), each in [0, N).

        Returns:
            features float32 (B, D) and labels bool (B, C).
        """
        return np.asarray(self.features[rows]), self.labels.multi_hot(rows)
