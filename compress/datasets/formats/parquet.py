"""Tables in Parquet files, read in batches. Needs pyarrow, an optional extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from compress.datasets.formats.arrow_columns import need_pyarrow
from compress.datasets.formats.arrow_rows import ArrowFile, ArrowRows
from compress.datasets.formats.row_reader import row_format
from compress.errors import DataError


@contextmanager
def _opened(path: Path) -> Iterator[ArrowFile]:
    need_pyarrow(path)
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, memory_map=True, pre_buffer=False) as file:
            yield ArrowFile(
                file.schema_arrow,
                file.metadata.num_rows,
                lambda names, rows: file.iter_batches(batch_size=rows, columns=list(names)),
            )
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"is damaged or not a Parquet file ({error})", where=path) from error


FORMAT = row_format("Parquet", (".parquet", ".pq"), lambda path: ArrowRows(path, partial(_opened, path)))
