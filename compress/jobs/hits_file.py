"""The file of what many queries found: Parquet, CSV or JSON lines, written a block at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import replacing
from compress.datasets.formats.arrow_columns import EXTRA
from compress.errors import UnavailableError, UsageError
from compress.foreign_text import csv_cell

SUFFIXES = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
COLUMNS = ("query", "rank", "video_id", "score", "labels")


@dataclass(frozen=True)
class HitRow:
    """One video that a query found; `rank` counts from 1, also on a later page."""

    query: str
    rank: int
    video_id: str
    score: float
    labels: tuple[str, ...]


def form_of(output: Path, replace: bool) -> str:
    """ "parquet", "csv" or "jsonl", by the suffix of a file that may be written.

    Raises:
        UsageError: another suffix, or a file that is there and is not to be replaced.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise UsageError(
            "its suffix names no form of results",
            where=f"--output {output}",
            hint=f"end it in {', '.join(SUFFIXES)}",
        )
    if output.exists() and not replace:
        raise UsageError("is there already", where=output, hint="choose another --output, or give --replace")
    return SUFFIXES[output.suffix.lower()]


def write_hits(form: str, output: Path, blocks: Iterable[list[HitRow]]) -> None:
    """Write one row a hit, in the order of the queries: all of them, or no file.

    Raises:
        UnavailableError: Parquet without pyarrow. StorageError: the disk refused.
    """
    with replacing(output) as unfinished:
        if form == "parquet":
            _parquet(unfinished, blocks)
            return
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            if form == "csv":
                _csv(out, blocks)
            else:
                _jsonl(out, blocks)


def _parquet(path: Path, blocks: Iterable[list[HitRow]]) -> None:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UnavailableError(
            "writing Parquet needs pyarrow", hint=f"pip install '{EXTRA}', or end --output in .csv"
        ) from error
    kinds = (pa.string(), pa.int32(), pa.string(), pa.float32(), pa.list_(pa.string()))
    schema = pa.schema(list(zip(COLUMNS, kinds, strict=True)))
    with pq.ParquetWriter(path, schema) as writer:
        for rows in blocks:
            columns = [[getattr(row, name) for row in rows] for name in COLUMNS]
            writer.write_table(pa.table(columns, schema=schema))


def _csv(out: Any, blocks: Iterable[list[HitRow]]) -> None:
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(COLUMNS)
    for rows in blocks:
        lines.writerows(
            (
                csv_cell(row.query),
                row.rank,
                csv_cell(row.video_id),
                f"{row.score:.6g}",
                csv_cell("; ".join(row.labels)),
            )
            for row in rows
        )


def _jsonl(out: Any, blocks: Iterable[list[HitRow]]) -> None:
    for rows in blocks:
        for row in rows:
            line = {
                "query": row.query,
                "rank": row.rank,
                "video_id": row.video_id,
                "score": float(f"{row.score:.6g}"),
                "labels": row.labels,
            }
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
