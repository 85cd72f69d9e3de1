"""Feature vectors in a Parquet file, read in batches. Needs pyarrow, an optional extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets.contents import Column, Contents, Use, choose_features
from compress.datasets.formats.format import Wanted
from compress.datasets.formats.vectors import (
    BLOCK_ROWS,
    NO_LABELS,
    as_float32,
    as_labels,
    default_id,
    vector_format,
    vector_schema,
)
from compress.datasets.record import Record, VideoRecord
from compress.errors import DataError, SchemaError, UnavailableError

EXTRA = "compress-video-embeddings[parquet]"
FEATURES, LABELS, ID = "features", "labels", "id"


class ParquetFile:
    """A file with a column `features` (lists of floats); optionally `id` and `labels` (lists of integers).

    Args:
        path: the file.
        wanted: see `Wanted`.
    """

    labels_file = None

    def __init__(self, path: Path, wanted: Wanted) -> None:
        self._path = path
        with _opened(path) as file:
            types = {field.name: field.type for field in file.schema_arrow}
            _check_types(path, types)
            if not file.metadata.num_rows:
                raise DataError("features have no rows", where=path)
            self._columns = [name for name in (ID, FEATURES, LABELS) if name in types]
            dim, largest = _dimension(path, file, types[FEATURES]), -1
            if wanted.num_classes is None and wanted.schema is None and LABELS in types:
                largest = _largest_label(path, file)
        chosen = choose_features(path, {FEATURES: dim}, (FEATURES,), wanted.description, wanted.reads)
        self.schema = vector_schema(path, chosen, wanted, largest)
        uses: dict[str, Use] = {FEATURES: "features", ID: "id", LABELS: "labels"}
        columns = (Column(name, str(kind), uses.get(name)) for name, kind in types.items())
        self.contents = Contents(tuple(columns), chosen.notes)

    def read(self) -> Iterator[Record]:
        """Every row, unchecked; a row of another length is found by the check of rows."""
        path, row = self._path, 0
        with _opened(path) as file:
            for batch in file.iter_batches(batch_size=BLOCK_ROWS, columns=self._columns):
                features = _lists(path, batch.column(FEATURES))
                labels = _lists(path, batch.column(LABELS)) if LABELS in self._columns else None
                ids = batch.column(ID).to_pylist() if ID in self._columns else None
                for place, values in enumerate(features):
                    name = default_id(path, row) if ids is None else _bytes(ids[place])
                    classes = NO_LABELS if labels is None else labels[place]
                    yield VideoRecord(name, as_labels(path, classes), as_float32(values))
                    row += 1


FORMAT = vector_format("Parquet", (".parquet",), ParquetFile)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        what = "reading Parquet files needs pyarrow"
        raise UnavailableError(what, where=path, hint=f"pip install '{EXTRA}'") from error
    try:
        with pyarrow.parquet.ParquetFile(path, memory_map=True, pre_buffer=False) as file:
            yield file
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"is damaged or not a Parquet file ({error})", where=path) from error


def _check_types(path: Path, types: dict[str, Any]) -> None:
    import pyarrow.types as kinds

    if FEATURES not in types:
        raise SchemaError(f"has no column '{FEATURES}' (present: {', '.join(types)})", where=path)
    for name, is_right, wanted in (
        (FEATURES, kinds.is_floating, "lists of float16, float32 or float64"),
        (LABELS, kinds.is_integer, "lists of integers"),
    ):
        if name in types and not (_is_list(types[name]) and is_right(types[name].value_type)):
            raise SchemaError(f"the column '{name}' holds {types[name]}; {wanted} expected", where=path)
    if ID in types and not any(
        test(types[ID])
        for test in (kinds.is_string, kinds.is_large_string, kinds.is_binary, kinds.is_large_binary)
    ):
        raise SchemaError(f"the column '{ID}' holds {types[ID]}; strings expected", where=path)


def _is_list(kind: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind))


def _dimension(path: Path, file: Any, kind: Any) -> int:
    """D: from the type, else the length of the first row."""
    first = next(file.iter_batches(batch_size=1, columns=[FEATURES]))
    dim = getattr(kind, "list_size", None) or len(_lists(path, first.column(FEATURES))[0])
    if not dim:
        raise SchemaError("the first row has no features", where=path)
    return int(dim)


def _largest_label(path: Path, file: Any) -> int:
    largest = -1
    for batch in file.iter_batches(batch_size=BLOCK_ROWS, columns=[LABELS]):
        for labels in _lists(path, batch.column(LABELS)):
            largest = max(largest, int(labels.max(initial=-1)))
    return largest


def _lists(path: Path, column: Any) -> list[np.ndarray]:
    """Each row of a list column as an array; a missing row is empty, a missing float NaN."""
    import pyarrow

    if pyarrow.types.is_fixed_size_list(column.type):
        column = column.cast(pyarrow.list_(column.type.value_type))
    if column.values.null_count and pyarrow.types.is_integer(column.type.value_type):
        raise DataError("a list of labels holds a missing value", where=path, hint="leave it out")
    values = column.values.to_numpy(zero_copy_only=False)
    offsets = column.offsets.to_numpy()
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    return [
        values[low:high] if there else values[:0]
        for low, high, there in zip(offsets[:-1], offsets[1:], valid, strict=True)
    ]


def _bytes(name: str | bytes | None) -> bytes:
    return name.encode() if isinstance(name, str) else name or b""
