"""Checks of every record before it reaches a model, a store or a table.

These functions check one value; the reader adds file, record, offset and id to their errors.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compress.datasets.record import SegmentRecord
from compress.datasets.schema import NUM_CLASSES_HINT, FeatureSchema
from compress.errors import RecordError

NO_LABEL_HINT = "classes are numbered from 0; a video without labels has none"

# Ids are kept in a fixed-width array, where one huge id would take as much space in every row.
MAX_ID_BYTES = 1024


def check_id(video_id: bytes) -> None:
    """RecordError unless the id is 1 to 1024 bytes of UTF-8 without NUL (fixed-width arrays drop a NUL)."""
    if not video_id:
        raise RecordError("the video id is empty")
    if len(video_id) > MAX_ID_BYTES:
        raise RecordError(f"the video id has {len(video_id)} bytes, at most {MAX_ID_BYTES} are allowed")
    if b"\0" in video_id:
        raise RecordError("the video id contains a NUL byte")
    try:
        video_id.decode()
    except UnicodeDecodeError as error:
        raise RecordError("the video id is not UTF-8") from error


def pack_labels(classes: Sequence[int], num_classes: int) -> np.ndarray:
    """Sorted distinct classes, int32 (n,).

    Args:
        classes: the labels of one video.
        num_classes: C.

    Raises:
        RecordError: a class is outside [0, C).
    """
    distinct = sorted(set(classes))
    if not distinct:
        return np.zeros(0, dtype=np.int32)
    for label in (distinct[0], distinct[-1]):
        if not 0 <= label < num_classes:
            raise RecordError(
                f"label {label} is outside [0, {num_classes})",
                hint=f"{NUM_CLASSES_HINT}, when the data have more" if label > 0 else NO_LABEL_HINT,
            )
    return np.array(distinct, dtype=np.int32)


def check_features(features: np.ndarray, schema: FeatureSchema) -> None:
    """RecordError naming the feature unless features, float32 (D,), have the schema's size and are finite."""
    if features.shape != (schema.dim,):
        raise RecordError(f"has {features.size} features, {schema.dim} expected")
    finite = np.isfinite(features)
    position = int(finite.argmin())  # the first False, if any; on booleans far faster than all()
    if not finite[position]:
        value = features[position]
        for name, dim in zip(schema.names, schema.dims, strict=True):
            if position < dim:
                raise RecordError(f"feature '{name}' is {value} at position {position}")
            position -= dim


def check_frames(frames: np.ndarray, schema: FeatureSchema) -> None:
    """RecordError unless frames are (T, D) with T >= 1, the schema's D and type, and finite."""
    wanted = np.dtype(schema.row_type)
    if frames.dtype != wanted or frames.ndim != 2 or frames.shape[1] != schema.dim:
        raise RecordError(f"frames are {frames.dtype} {frames.shape}, {wanted} (T, {schema.dim}) expected")
    if not len(frames):
        raise RecordError("has no frames")
    if wanted.kind == "f" and not np.isfinite(frames).all():
        number, position = np.argwhere(~np.isfinite(frames))[0]
        raise RecordError(f"frame {number} is {frames[number, position]} at position {position}")


def check_segments(record: SegmentRecord, num_classes: int) -> None:
    """RecordError unless the four segment features agree, times ascend, classes and scores are in range."""
    start, end = record.segment_start, record.segment_end
    sizes = {len(start), len(end), len(record.segment_labels), len(record.segment_scores)}
    if len(sizes) != 1:
        raise RecordError(f"segment start, end, labels and scores differ in number: {sorted(sizes)}")
    if (start < 0).any() or (end <= start).any():
        raise RecordError("a segment ends before it starts")
    if not np.isfinite(record.segment_scores).all():
        raise RecordError("a segment score is NaN or infinite")
    labels = record.segment_labels
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise RecordError(f"a segment label is outside [0, {num_classes})")
