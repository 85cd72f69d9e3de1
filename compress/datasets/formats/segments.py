"""The labelled segments of the 2019 release: read with their video, or as records of their own."""

from __future__ import annotations

import numpy as np

from compress.datasets.formats.layout import SEGMENT_KEYS, FeatureMap
from compress.datasets.formats.values import needed_values
from compress.datasets.record import FrameRecord, SegmentRecord
from compress.datasets.validation import check_id, check_segments
from compress.errors import RecordError


def with_segments(record: FrameRecord, context: FeatureMap, num_classes: int) -> SegmentRecord:
    """The record and the segments that its context names; RecordError when these are not sound."""
    start, end, classes = (
        np.array(list(needed_values(context, key, "int64_list")), dtype=np.int64) for key in SEGMENT_KEYS[:3]
    )
    scores = needed_values(context, SEGMENT_KEYS[3], "float_list")
    if ((classes < 0) | (classes >= num_classes)).any():
        raise RecordError(f"a segment label is outside [0, {num_classes})")
    segments = SegmentRecord(
        record.video_id,
        record.labels,
        record.frames,
        start,
        end,
        classes.astype(np.int32),
        np.array(list(scores), dtype=np.float32),
    )
    check_segments(segments, num_classes)
    return segments


def segments_of(record: FrameRecord, max_frames: int | None) -> list[FrameRecord]:
    """Each segment of a video as a record, `ID:START`, in the order of their times.

    Its frames are those of its seconds, one a second; its labels are the classes that people confirmed for it
    (a score of 0.5 or more).

    Args:
        record: with all its frames; one without segments gives none.
        max_frames: frames of a segment after these are cut; None keeps all.

    Raises:
        RecordError: a segment starts behind the last frame, or its id is too long.

    Source: research.google.com/youtube8m/download.html, "YouTube-8M Segments".
    """
    if not isinstance(record, SegmentRecord):
        return []
    found = []
    times = np.stack([record.segment_start, record.segment_end], axis=1)
    for start, end in np.unique(times, axis=0).tolist():
        if start >= len(record.frames):
            raise RecordError(f"a segment starts at second {start} of {len(record.frames)}")
        here = (times == (start, end)).all(axis=1)
        labels = np.unique(record.segment_labels[here & (record.segment_scores >= 0.5)])
        video_id = record.video_id + b":%d" % start
        check_id(video_id)
        found.append(FrameRecord(video_id, labels, record.frames[start:end][:max_frames]))
    return found
