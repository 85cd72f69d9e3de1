"""All videos of a frame-level source as arrays, from which training slices its batches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from compress.datasets.labels import Labels
from compress.datasets.schema import FeatureSchema


@dataclass(frozen=True)
class FrameTable:
    """N videos at frame level.

    Args:
        ids: (N,) S<w>, in reading order.
        frames: uint8 (sum of T, D), quantised, possibly a read-only memory map.
        indptr: int64 (N + 1,); the frames of video i are `frames[indptr[i]:indptr[i + 1]]`.
        labels: of the N videos; rows are empty where a video is unlabelled.
        schema: what the source held.
    """

    ids: np.ndarray
    frames: np.ndarray
    indptr: np.ndarray
    labels: Labels
    schema: FeatureSchema

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def num_frames(self) -> np.ndarray:
        """Length of each video, int64 (N,)."""
        return np.diff(self.indptr)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Copies of some rows, padded with zeros to the longest of them.

        Args:
            rows: int64 (B,), each in [0, N).

        Returns:
            frames uint8 (B, Tmax, D), num_frames int64 (B,), labels bool (B, C).
        """
        starts = self.indptr[rows]
        lengths = self.indptr[rows + 1] - starts
        stored = np.asarray(self.frames)  # each slice of a memory map would be a memory map, at 2 us apiece
        # Only the padding is set to zero: doing so for all of it would be a second pass over memory.
        frames = np.empty((len(rows), lengths.max(initial=0), stored.shape[1]), dtype=np.uint8)
        for video, start, length in zip(frames, starts.tolist(), lengths.tolist(), strict=True):
            video[:length] = stored[start : start + length]
            video[length:] = 0
        return frames, lengths, self.labels.multi_hot(rows)
