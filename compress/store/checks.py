"""What may become a store: checked before the first byte is written."""

from __future__ import annotations

import numpy as np

from compress.datasets.distinct import first_repeat
from compress.datasets.labels import Labels
from compress.errors import DataError, RecordError, SchemaError
from compress.store.layout import Contents


def check_contents(contents: Contents) -> None:
    """Refuse contents that could not be read back, or would mean nothing.

    Raises:
        DataError: no videos, a duplicate id, labels or splits that do not fit.
        RecordError: an id that is empty or not UTF-8.
    """
    check_ids(contents.ids)
    if contents.labels is not None:
        check_labels(contents.labels, len(contents.ids))
    check_splits(contents.splits, len(contents.ids))


def check_ids(ids: np.ndarray) -> None:
    """Refuse ids, S (N,), that are none, empty, not UTF-8, or not unique."""
    if ids.ndim != 1 or ids.dtype.kind != "S":
        raise DataError(f"ids are {ids.dtype} {ids.shape}, not one bytes string (S) a video")
    if len(ids) == 0:
        raise DataError("there are no videos to store", hint="check the input files, and what was skipped")
    empty = np.flatnonzero(ids == b"")
    if len(empty):
        raise RecordError("the video id is empty", where=f"row {empty[0]}")
    _check_utf8(ids)
    repeat = first_repeat(ids)
    if repeat is not None:
        raise DataError(f"video id {ids[repeat[1]].decode()!r} appears more than once")


def check_labels(labels: Labels, num_videos: int) -> None:
    """Refuse labels that are not compressed sparse rows of `num_videos` videos."""
    indptr, indices = labels.indptr, labels.indices
    if len(labels) != num_videos:
        raise SchemaError(f"there are labels of {len(labels)} videos, and {num_videos} videos")
    if indptr[0] != 0 or indptr[-1] != len(indices) or (np.diff(indptr) < 0).any():
        raise DataError("the labels' indptr does not ascend from 0 to the number of labels")
    if len(indices) and not (indices.min() >= 0 and indices.max() < labels.num_classes):
        raise DataError(f"a label is outside [0, {labels.num_classes})")


def check_splits(splits: object, num_videos: int) -> None:
    """Refuse splits that are not {name: (start, stop)} of rows that exist, each row in one split at most."""
    if not isinstance(splits, dict):
        raise DataError("splits are not {name: (start, stop)}")
    end = 0
    for name, rows in sorted(splits.items(), key=lambda item: tuple(item[1])):
        start, stop = (int(row) for row in rows)
        if not end <= start <= stop <= num_videos:
            raise DataError(f"split {name!r} is rows [{start}, {stop}) of {num_videos}, or overlaps another")
        end = stop


def _check_utf8(ids: np.ndarray) -> None:
    # Nearly always all ASCII: one pass over the bytes instead of one decode a video.
    if np.ascontiguousarray(ids).view(np.uint8).max() < 128:
        return
    for row, video_id in enumerate(ids):
        try:
            video_id.decode()
        except UnicodeDecodeError as error:
            raise RecordError(f"the video id {bytes(video_id)!r} is not UTF-8", where=f"row {row}") from error
