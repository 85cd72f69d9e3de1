"""One video as it comes out of a shard."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """A video-level record.

    Args:
        video_id: UTF-8 bytes, 1 to 1024 of them, without NUL.
        labels: int32 (n,), ascending, without duplicates; empty when unlabelled.
        features: float32 (D,), all features concatenated in the order of the schema.
    """

    video_id: bytes
    labels: np.ndarray
    features: np.ndarray


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """A frame-level record.

    Args:
        video_id: UTF-8 bytes, 1 to 1024 of them, without NUL.
        labels: int32 (n,), ascending, without duplicates; empty when unlabelled.
        frames: uint8 (T, D), T >= 1, quantised; the model dequantises.
    """

    video_id: bytes
    labels: np.ndarray
    frames: np.ndarray


@dataclass(frozen=True, slots=True)
class SegmentRecord(FrameRecord):
    """A frame-level record of the 2019 release, with human-checked segments.

    Args:
        segment_start: int64 (S,), first second of each segment.
        segment_end: int64 (S,), the second after its last.
        segment_labels: int32 (S,), the class that was checked.
        segment_scores: float32 (S,), 1 when the class is present in the segment, else 0.
    """

    segment_start: np.ndarray
    segment_end: np.ndarray
    segment_labels: np.ndarray
    segment_scores: np.ndarray


Record = VideoRecord | FrameRecord
