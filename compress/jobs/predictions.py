"""The forms in which predictions are written: a table, CSV, JSON lines, Parquet and a Kaggle submission.

Each takes the videos a batch at a time, so that any number of them needs the memory of one batch. The form
"kaggle" is that of the YouTube-8M challenges: google/youtube-8m `inference.py`, `format_lines`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from compress.datasets.formats.arrow_columns import EXTRA
from compress.datasets.vocabulary import Vocabulary
from compress.errors import UnavailableError, UsageError
from compress.foreign_text import csv_cell, one_line

if TYPE_CHECKING:
    from compress.encoding.scorer import Predictions

FORMATS = ("table", "csv", "jsonl", "parquet", "kaggle")
SUFFIXES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".txt": "table"}
KAGGLE_LABELS = 20


class Out(Protocol):
    """What text is written to."""

    def write(self, text: str, /) -> object:
        """The next piece of it."""


Row = tuple[str, list[tuple[int, float]]]
"""A video's id, and its (class, probability), best first."""


def format_of(chosen: str | None, output: Path | None) -> str:
    """The form that was chosen, or that the file's suffix names; on standard output a table.

    Raises:
        UsageError: a suffix that names none, or Parquet, which is no text, for standard output.
    """
    if chosen is None and output is not None:
        if output.suffix.lower() not in SUFFIXES:
            raise UsageError(
                "its suffix names no form of predictions",
                where=f"--output {output}",
                hint=f"end it in {', '.join(SUFFIXES)}, or give --format",
            )
        return SUFFIXES[output.suffix.lower()]
    if chosen == "parquet" and output is None:
        raise UsageError("Parquet is no text for a terminal", hint="give --output FILE.parquet")
    return chosen or "table"


def rows_of(batch: Predictions, thresholds: np.ndarray | None) -> Iterator[Row]:
    """The videos of a batch; with thresholds, float32 (C,), only the classes that reach theirs."""
    kept = None if thresholds is None else batch.probabilities >= thresholds[batch.classes]
    for row, video_id in enumerate(batch.ids.tolist()):
        chosen = slice(None) if kept is None else kept[row]
        pairs = zip(
            batch.classes[row][chosen].tolist(), batch.probabilities[row][chosen].tolist(), strict=True
        )
        yield video_id.decode("utf-8", "backslashreplace"), list(pairs)


def write_text(form: str, batches: Iterable[Iterable[Row]], names: Vocabulary, out: Out) -> None:
    """Write "table", "csv", "jsonl" or "kaggle" to a text stream, a batch at a time."""
    writers: dict[str, Callable[[Iterable[Row], Vocabulary, Out], None]]
    writers = {"table": _table, "csv": _csv, "jsonl": _jsonl, "kaggle": _kaggle}
    heads = {
        "table": "video  labels, the most probable first\n",
        "csv": "video_id,rank,label,name,probability\n",
        "kaggle": "VideoId,LabelConfidencePairs\n",
    }
    out.write(heads.get(form, ""))
    for rows in batches:
        writers[form](rows, names, out)


def write_parquet(batches: Iterable[Iterable[Row]], names: Vocabulary, path: Path) -> None:
    """Write a row per video: video_id, and the lists label, name and probability.

    Raises:
        UnavailableError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UnavailableError(
            "writing Parquet needs pyarrow", hint=f"pip install '{EXTRA}', or use --format csv"
        ) from error
    kinds = {
        "video_id": pa.string(),
        "label": pa.list_(pa.int32()),
        "name": pa.list_(pa.string()),
        "probability": pa.list_(pa.float32()),
    }
    with pq.ParquetWriter(path, pa.schema(kinds)) as writer:
        for rows in batches:
            columns: list[list[Any]] = [[], [], [], []]
            for video_id, pairs in rows:
                columns[0].append(video_id)
                columns[1].append([label for label, _ in pairs])
                columns[2].append([names.names.get(label) for label, _ in pairs])
                columns[3].append([probability for _, probability in pairs])
            writer.write_table(pa.table(dict(zip(kinds, columns, strict=True)), schema=pa.schema(kinds)))


def _table(rows: Iterable[Row], names: Vocabulary, out: Out) -> None:
    for video_id, pairs in rows:
        labels = ", ".join(f"{names.shown(label)} {probability:.3f}" for label, probability in pairs)
        out.write(one_line(f"{video_id}  {labels or 'none'}") + "\n")


def _csv(rows: Iterable[Row], names: Vocabulary, out: Out) -> None:
    lines = csv.writer(out, lineterminator="\n")
    for video_id, pairs in rows:
        for rank, (label, probability) in enumerate(pairs, start=1):
            name = csv_cell(names.names.get(label, ""))
            lines.writerow((csv_cell(video_id), rank, label, name, f"{probability:.6g}"))


def _jsonl(rows: Iterable[Row], names: Vocabulary, out: Out) -> None:
    for video_id, pairs in rows:
        labels = [
            {"label": label, "name": names.names.get(label), "probability": float(f"{probability:.6g}")}
            for label, probability in pairs
        ]
        out.write(json.dumps({"video_id": video_id, "labels": labels}, ensure_ascii=False) + "\n")


def _kaggle(rows: Iterable[Row], names: Vocabulary, out: Out) -> None:
    lines = csv.writer(out, lineterminator="\n")  # quotes an id with a comma in it
    for video_id, pairs in rows:
        lines.writerow((video_id, " ".join(f"{label} {probability:g}" for label, probability in pairs)))
