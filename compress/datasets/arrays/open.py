"""Which reader a file of arrays needs, by its suffix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from compress.datasets.record import VideoRecord
from compress.datasets.schema import FeatureSchema
from compress.errors import NotFoundError, UsageError


class ArrayFile(Protocol):
    """One file of feature vectors, read row by row in bounded memory.

    `sidecar` is the labels file beside it, if any: it belongs to the data as much as the file itself.
    """

    @property
    def schema(self) -> FeatureSchema: ...

    @property
    def shards(self) -> tuple[Path, ...]: ...

    @property
    def sidecar(self) -> Path | None: ...

    def read(self, shard: Path) -> Iterator[VideoRecord]: ...


def open_array_source(path: Path, *, labels: Path | None = None, num_classes: int | None = None) -> ArrayFile:
    """Open feature vectors that come with labels and ids, or without.

    What concerns the whole file (type, shape, number of rows) is checked here. What concerns one row (NaN, a
    label out of range, an empty id) is for whoever reads the rows: `open_source` checks each by its policy.

    Args:
        path: `.npy` with floats (N, D); `.h5`/`.hdf5` with `features` or `embeddings` (N, D), and if wanted
            `ids` (N,), `labels/indptr`, `labels/indices`; `.parquet` with `features` (lists of floats) and if
            wanted `id`, `labels` (lists of integers). float16, float32 and float64 become float32.
        labels: for .npy only: a .csv with columns `id,labels` (labels: integers with spaces between), a row
            for each vector, or a .npz with `indptr`, `indices` and if wanted `ids`. None takes the file
            `<stem>.labels.csv` or `<stem>.labels.npz` beside it if there is one.
        num_classes: C; None takes the largest label + 1.

    Returns:
        A source of one shard whose records have one feature, named `features`. Rows without ids are called
        `<stem>-<row>`.

    Raises:
        NotFoundError: no such file.
        SchemaError: wrong type or shape, labels that do not fit, or C unknown.
        DataError: the file is damaged or has no rows.
        UsageError: unknown suffix, or a labels file for a format that holds its own.
        UnavailableError: a Parquet file, and pyarrow is not installed.
    """
    suffix = path.suffix.lower()
    for file in (path, labels):
        if file is not None and not file.is_file():
            raise NotFoundError("no such file", where=file)
    if labels is not None and suffix != ".npy":
        raise UsageError(f"a labels file goes with .npy; {suffix} files hold their own labels", where=labels)
    if suffix == ".npy":
        from compress.datasets.arrays.npy import NpyFile

        return NpyFile(path, labels, num_classes)
    if suffix in (".h5", ".hdf5"):
        from compress.datasets.arrays.hdf5 import Hdf5File

        return Hdf5File(path, num_classes)
    if suffix == ".parquet":
        from compress.datasets.arrays.parquet import ParquetFile

        return ParquetFile(path, num_classes)
    raise UsageError(f"cannot read '{suffix}' files", where=path, hint="use .npy, .h5, .hdf5 or .parquet")
