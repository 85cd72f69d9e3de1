"""Tables of plain values with a row per video: CSV, JSON lines and Parquet, read whole by pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compress.artifacts import disk
from compress.doors.claims import check_claim
from compress.doors.guard import guarded
from compress.errors import CompressError, DataError, SchemaError

TEXTS, LINES, PARQUET = (".csv", ".tsv"), (".jsonl", ".ndjson"), (".parquet", ".pq")


def read_table(path: Path, as_text: str | None = None) -> Any:
    """The table of pyarrow in a .csv, .tsv, .jsonl, .ndjson, .parquet or .pq file.

    Args:
        path: the file; the suffix gives its format.
        as_text: a column that is text even where every value looks like a number ("0012").

    Raises:
        NotFoundError, StorageError: it cannot be read.
        SchemaError: another suffix.
        DataError: it is damaged, or claims more than it can hold.
    """
    suffix = path.suffix.lower()
    if suffix not in (*TEXTS, *LINES, *PARQUET):
        raise SchemaError("is no table", where=path, hint=f"give {', '.join((*TEXTS, *LINES, *PARQUET))}")
    with disk.reading(path):
        data = path.read_bytes()
    if suffix in PARQUET:
        return read_parquet(data, path)
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.json

    kinds = {} if as_text is None else {as_text: pa.string()}
    if suffix in LINES:
        with guarded(path, "JSON lines"):
            return pyarrow.json.read_json(pa.BufferReader(data))
    with guarded(path, "a CSV file"):
        return pyarrow.csv.read_csv(
            pa.BufferReader(data),
            parse_options=pyarrow.csv.ParseOptions(delimiter="\t" if suffix == ".tsv" else ","),
            convert_options=pyarrow.csv.ConvertOptions(column_types=kinds, strings_can_be_null=True),
        )


def read_parquet(data: Any, path: Path, *, error: type[CompressError] = DataError, hint: str = "") -> Any:
    """The table in the bytes of a Parquet file that came from `path`; `error` and `hint` as of `guarded`."""
    import pyarrow as pa
    import pyarrow.parquet

    with guarded(path, "a Parquet file", error=error, hint=hint):
        file = pyarrow.parquet.ParquetFile(pa.BufferReader(pa.py_buffer(data)))
        about = file.metadata
        groups = [about.row_group(number) for number in range(about.num_row_groups)]
    rows, size = about.num_rows, len(data)
    if rows < 0 or rows != sum(group.num_rows for group in groups):
        raise error("is damaged: it says differently how many rows it has", where=path, hint=hint)
    check_claim(path, "its number of rows", rows, size)
    check_claim(path, "it", sum(max(0, group.total_byte_size) for group in groups), size)
    with guarded(path, "a Parquet file", error=error, hint=hint):
        return file.read()
