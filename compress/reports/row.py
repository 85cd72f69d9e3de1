"""What one row of the evaluation folder says, as frozen dataclasses; sizes in bytes, figures as fractions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from compress.metrics import Interval

Role = Literal["baseline", "encoder", "control"]
METRICS = ("gap", "map", "perr", "hit_at_one")


@dataclass(frozen=True)
class Figures:
    """The four figures, or their differences from the baseline's, with 95 % intervals over videos.

    `map` skips classes without positives.
    """

    gap: Interval
    map: Interval
    perr: Interval
    hit_at_one: Interval
    map_with_empty_as_zero: Interval | None = None


@dataclass(frozen=True)
class Retrieval:
    """How neighbours agree with labels and with the neighbours in the original space; None: not measured."""

    queries: int
    label_precision_at_10: float | None
    map_at_10: float | None
    ndcg_at_10: float | None
    neighbour_recall_at_10: float | None


@dataclass(frozen=True)
class HeadTraining:
    """How the classification head was trained; rows compare only when this is the same."""

    epochs: float
    seed: int
    batch_size: int
    mixup: float = 0.0


@dataclass(frozen=True)
class Data:
    """What a row was measured on; `fingerprint` identifies the validation videos and their labels."""

    train_videos: int
    validate_videos: int
    num_classes: int
    fingerprint: str
    synthetic_frames: bool
    source: str


@dataclass(frozen=True)
class Row:
    """One measured row. `delta` is row minus baseline on the same resampled videos, None for the baseline.

    `encoder_bytes`: of the encoder's weights on the disk; None where the run is gone, or nobody looked.
    """

    row: str
    title: str
    table4_row: str | None
    role: Role
    encoder: str
    head: str
    dim: int
    codec: str
    bytes_per_video: int
    parameters: Mapping[str, int]
    figures: Figures
    baseline: str | None
    delta: Figures | None
    joint: Mapping[str, float]
    retrieval: Retrieval | None
    head_training: HeadTraining
    data: Data
    command: str
    notes: tuple[str, ...]
    encoder_bytes: int | None = None
