"""Videos of one file of vectors or of frames, each checked when it is read; and their schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from compress.datasets.contents import Chosen, Contents
from compress.datasets.formats.format import Wanted
from compress.datasets.policy import Policy, SkippedRecord
from compress.datasets.record import Block, FrameRecord, Record, blocks_of
from compress.datasets.schema import MAX_CLASSES, NUM_CLASSES_HINT, FeatureSchema, Level
from compress.datasets.validation import check_features, check_frames, check_id, pack_labels
from compress.errors import RecordError, SchemaError

_HINT = "leave such rows out with --on-corrupt skip or --on-corrupt quarantine"


class VectorFile(Protocol):
    """One file of feature vectors, or of frames, read video by video in bounded memory.

    Properties of the whole file (type, shape, number of rows) are checked when it is opened; single rows
    (NaN, a label out of range, an empty id) are checked by `VectorReader`.
    """

    @property
    def schema(self) -> FeatureSchema: ...

    @property
    def contents(self) -> Contents: ...

    @property
    def labels_file(self) -> Path | None: ...

    @property
    def folder_says(self) -> str:
        """What of the records comes from the names of the folders, such as made-up ids."""
        ...

    def read(self) -> Iterator[Record]: ...


class VectorReader:
    """The rows of one opened file, each checked; defective ones go to the policy, by their row number."""

    def __init__(self, path: Path, file: VectorFile, policy: Policy) -> None:
        self.schema, self.contents, self.labels_file = file.schema, file.contents, file.labels_file
        self.folder_says = file.folder_says
        self._path, self._file, self._policy = path, file, policy

    def read(self, shard: Path) -> Iterator[Record]:
        """Every usable row, in order; RecordError by the policy."""
        return (record for _, record in self._read())

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same rows in blocks of `videos`; the last of the file may be smaller."""
        return blocks_of(self.read(shard), videos, self.schema)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record is, for an error message."""
        for number, (position, record) in enumerate(self._read()):
            if number == row:
                return self._place(position, record)
        return f"{shard}: usable row {row}"

    def _read(self) -> Iterator[tuple[int, Record]]:
        for row, record in enumerate(self._file.read()):
            values = record.frames if isinstance(record, FrameRecord) else record.features
            try:
                check_id(record.video_id)
                pack_labels(record.labels.tolist(), self.schema.num_classes)
                check = check_frames if isinstance(record, FrameRecord) else check_features
                check(values, self.schema)
            except RecordError as error:
                placed = RecordError(error.what, where=self._place(row, record), hint=error.hint or _HINT)
                skipped = SkippedRecord(self._path, row, row, values.nbytes, error.what)
                self._policy.leave_out(skipped, placed, lambda: [values.tobytes()])  # noqa: B023
                continue
            yield row, record

    def _place(self, row: int, record: Record) -> str:
        video_id = record.video_id[:64].decode(errors="backslashreplace") or "empty"
        return f"{self._path}: row {row}, id {video_id}"


def vector_schema(
    path: Path, chosen: Chosen, wanted: Wanted, largest_label: int, level: Level = "video"
) -> FeatureSchema:
    """The schema of vectors or of float frames, whose features are `chosen` (see `choose_features`).

    Args:
        path: the file, for errors.
        chosen: names and sizes.
        wanted: knows C, unless the labels tell.
        largest_label: -1 where there are no labels.
        level: "frame" for a sequence of float32 vectors per video.

    Raises:
        SchemaError: nobody knows C, or a label does not fit.
    """
    if largest_label >= MAX_CLASSES:
        raise SchemaError(f"label {largest_label} is too large to be kept in 32 bits", where=path)
    classes = wanted.classes(largest_label + 1)
    if classes is None:
        raise SchemaError(
            "has no labels, so the number of classes is unknown", where=path, hint=NUM_CLASSES_HINT
        )
    return FeatureSchema(
        level,
        chosen.names,
        chosen.dims,
        classes,
        "id",
        max_frames=wanted.max_frames,
        float_frames=level == "frame",
    )


def as_float32(values: np.ndarray) -> np.ndarray:
    """float32 copy in native byte order; values that are too large become Inf, which the row check finds."""
    with np.errstate(over="ignore"):
        return np.array(values, dtype=np.float32)
