"""Tables in Parquet files, read in batches. Needs pyarrow, an optional extra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from compress.artifacts import disk
from compress.datasets.formats.arrow_columns import need_pyarrow
from compress.datasets.formats.arrow_rows import ArrowFile, ArrowRows
from compress.datasets.formats.row_reader import row_format
from compress.doors.claims import check_claim
from compress.doors.guard import each_guarded, guarded
from compress.errors import DataError

_KIND = "a Parquet file"


@contextmanager
def _opened(path: Path) -> Iterator[ArrowFile]:
    need_pyarrow(path)
    import pyarrow.parquet

    with disk.reading(path), guarded(path, _KIND):
        file = pyarrow.parquet.ParquetFile(path, memory_map=True, pre_buffer=False)
    with file:
        with guarded(path, _KIND):
            schema, rows = file.schema_arrow, file.metadata.num_rows
            _check_claims(path, file.metadata)

        def batches(names: Sequence[str], size: int) -> Iterator[Any]:
            return each_guarded(path, _KIND, lambda: file.iter_batches(batch_size=size, columns=list(names)))

        yield ArrowFile(schema, rows, batches)


def _check_claims(path: Path, metadata: Any) -> None:
    """DataError where the groups of rows claim other rows than the file, or more than it can hold."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if metadata.num_rows != sum(group.num_rows for group in groups) or metadata.num_rows < 0:
        raise DataError("is damaged: it says differently how many rows it has", where=path)
    size = path.stat().st_size
    check_claim(path, "its number of rows", metadata.num_rows, size)
    check_claim(path, "it", sum(max(0, group.total_byte_size) for group in groups), size)


FORMAT = row_format("Parquet", (".parquet", ".pq"), lambda path: ArrowRows(path, partial(_opened, path)))
