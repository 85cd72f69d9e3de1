"""Plain arrays (.npy, HDF5, Parquet) as a source: the same validation and policy as for TFRecord shards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from compress.datasets.blocks import Block, blocks_of
from compress.datasets.policy import Policy, SkippedRecord
from compress.datasets.record import VideoRecord
from compress.datasets.schema import NUM_CLASSES_HINT
from compress.datasets.validation import check_record
from compress.errors import RecordError, SchemaError

if TYPE_CHECKING:
    from compress.datasets.arrays import ArrayFile

ARRAY_HINT = "leave such rows out with --on-corrupt skip or --on-corrupt quarantine"


class ArrayReader:
    """Reads rows of array files.

    Args:
        files: the opened file of each path, all of one schema.
        policy: what happens to defective rows; their row number stands for the byte offset.
        require_labels: a row without labels is defective.
    """

    def __init__(self, files: Mapping[Path, ArrayFile], policy: Policy, require_labels: bool) -> None:
        self.schema = next(iter(files.values())).schema
        self._files, self._policy, self._require_labels = files, policy, require_labels

    @property
    def sidecars(self) -> list[Path]:
        """The labels files beside the arrays."""
        return [file.sidecar for file in self._files.values() if file.sidecar]

    def read(self, shard: Path) -> Iterator[VideoRecord]:
        """Every usable row of a file, in order; RecordError by the policy."""
        for _, record in self._read(shard):
            yield record

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same rows in blocks of `videos`; the last of the file may be smaller."""
        return blocks_of(self.read(shard), videos, self.schema)

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a file stands, for an error message."""
        for number, (position, record) in enumerate(self._read(shard)):
            if number == row:
                return _place(shard, position, record)
        return f"{shard}: usable row {row}"

    def _read(self, shard: Path) -> Iterator[tuple[int, VideoRecord]]:
        for row, record in enumerate(self._files[shard].read(shard)):
            try:
                check_record(record, self.schema, self._require_labels)
            except RecordError as error:
                self._leave_out(shard, row, record, error)
                continue
            yield row, record

    def _leave_out(self, shard: Path, row: int, record: VideoRecord, error: RecordError) -> None:
        placed = RecordError(error.what, where=_place(shard, row, record), hint=error.hint or ARRAY_HINT)
        skipped = SkippedRecord(shard, row, row, record.features.nbytes, error.what)
        self._policy.leave_out(skipped, placed, lambda: [record.features.tobytes()])


def open_arrays(
    paths: Sequence[Path], policy: Policy, labels: Path | None, num_classes: int | None, require_labels: bool
) -> ArrayReader:
    """Open array files of one schema; SchemaError when they differ."""
    from compress.datasets.arrays import open_array_source  # h5py and pyarrow load only when arrays are read

    if labels and len(paths) > 1:
        raise SchemaError("one labels file cannot belong to several array files", where=labels)
    files: dict[Path, ArrayFile] = {
        path: open_array_source(path, labels=labels, num_classes=num_classes) for path in paths
    }
    schema = files[paths[0]].schema
    for path, file in files.items():
        if file.schema != schema:
            raise SchemaError(
                f"holds {file.schema}, but {paths[0].name} holds {schema}",
                where=path,
                hint=f"{NUM_CLASSES_HINT}, when only the number of classes differs",
            )
    return ArrayReader(files, policy, require_labels)


def _place(shard: Path, row: int, record: VideoRecord) -> str:
    return f"{shard}: row {row}, id {record.video_id[:64].decode(errors='backslashreplace') or 'empty'}"
