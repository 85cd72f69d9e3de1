"""All videos of a video-level source as arrays, from which training slices its batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.datasets.labels import Labels
from compress.datasets.schema import FeatureSchema


@dataclass(frozen=True)
class VideoTable:
    """N videos at video level.

    Args:
        ids: (N,) S<w>, in reading order.
        features: float32 (N, D), possibly a read-only memory map.
        labels: of the N videos; rows are empty where a video is unlabelled.
        schema: what the source held.
    """

    ids: np.ndarray
    features: np.ndarray
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
