"""A table in a file of Parquet, CSV or JSON lines, by its suffix, written a block of rows at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from compress.artifacts.atomic import replacing
from compress.datasets.formats.arrow_columns import EXTRA
from compress.errors import UnavailableError, UsageError
from compress.foreign_text import csv_cell

SUFFIXES = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
Kind = Literal["text", "whole", "real"]
Row = Sequence[Any]


def check_table_file(output: Path, replace: bool) -> None:
    """UsageError unless the suffix names a form, and nothing is there or it is to be replaced.

    Raises:
        UnavailableError: Parquet, and pyarrow is not installed.
    """
    if output.suffix.lower() not in SUFFIXES:
        hint = f"end it in {', '.join(SUFFIXES)}"
        raise UsageError("its suffix names no form of a table", where=f"--output {output}", hint=hint)
    if output.exists() and not replace:
        raise UsageError("is there already", where=output, hint="choose another --output, or give --replace")
    if SUFFIXES[output.suffix.lower()] == "parquet":
        need_to_write(f"pip install '{EXTRA}', or end --output in .csv")


def need_to_write(hint: str) -> None:
    """UnavailableError where pyarrow is not installed."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise UnavailableError("writing Parquet needs pyarrow", hint=hint) from error


def write_table(output: Path, columns: Mapping[str, Kind], blocks: Iterable[Sequence[Row]]) -> None:
    """Write all rows, or no file; what a spreadsheet would compute is made safe in CSV.

    Raises:
        StorageError: the disk refuses.
    """
    form = SUFFIXES[output.suffix.lower()]
    with replacing(output) as unfinished:
        if form == "parquet":
            _parquet(unfinished, columns, blocks)
            return
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as out:
            if form == "jsonl":
                for rows in blocks:
                    records = (dict(zip(columns, row, strict=True)) for row in rows)
                    out.writelines(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
                return
            lines = csv.writer(out, lineterminator="\n")
            lines.writerow(columns)
            for rows in blocks:
                lines.writerows(map(_cells, rows))


def _cells(row: Row) -> list[Any]:
    return [csv_cell(value) if isinstance(value, str) else value for value in row]


def _parquet(path: Path, columns: Mapping[str, Kind], blocks: Iterable[Sequence[Row]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"text": pa.string(), "whole": pa.int64(), "real": pa.float32()}
    schema = pa.schema({name: kinds[kind] for name, kind in columns.items()})
    with pq.ParquetWriter(path, schema) as writer:
        for rows in blocks:
            values = zip(*rows, strict=True) if rows else [()] * len(columns)
            arrays = [pa.array(value, field.type) for value, field in zip(values, schema, strict=True)]
            writer.write_table(pa.table(arrays, schema=schema))
