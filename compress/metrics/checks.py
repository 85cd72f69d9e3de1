"""Checks of scores and labels, the same for every metric."""

from __future__ import annotations

import numpy as np

from compress.errors import RecordError, SchemaError

CLASS_BITS = 25  # top_k.py sorts candidates by a uint64 key, which leaves this many bits for the class


def checked_scores(scores: np.ndarray) -> np.ndarray:
    """`scores` as float32 (B, C) with C >= 1, or SchemaError."""
    if (
        scores.ndim != 2
        or not 0 < scores.shape[1] <= 1 << CLASS_BITS
        or not np.issubdtype(scores.dtype, np.floating)
    ):
        raise SchemaError(
            f"scores have shape {scores.shape} and type {scores.dtype}", hint="pass floats (videos, classes)"
        )
    return np.asarray(scores, dtype=np.float32)


def checked_labels(labels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """`labels` when they are bool of this shape, or SchemaError."""
    if labels.dtype != np.bool_ or labels.shape != shape:
        raise SchemaError(f"labels are {labels.dtype} {labels.shape}, not bool {shape}")
    return labels


def refuse_nan(scores: np.ndarray, first_row: int = 0) -> None:
    """RecordError that names the first NaN of float32 (B, C)."""
    places = np.argwhere(np.isnan(scores))
    if len(places):
        row, column = places[0]
        raise RecordError("score is NaN", where=f"video {first_row + row} of the batch, class {column}")
