"""Tables of labels as text: an id and the labels of a video in each line, or a column for each class."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from compress.artifacts import disk
from compress.datasets.formats.label_cells import CellLabels, split_cells
from compress.datasets.vocabulary import Vocabulary
from compress.errors import SchemaError

ID_COLUMNS = (
    *("id", "video_id", "youtube_id", "ytid", "clip_id", "videoid", "video", "vid", "filename", "file_name"),
    *("file", "path", "name", "key", "uid", "segment_id"),
)
LABEL_COLUMNS = (
    *(
        "labels",
        "label",
        "class",
        "classes",
        "tags",
        "tag",
        "category",
        "categories",
        "class_name",
        "label_name",
    ),
    *("positive_labels", "class_id", "label_id", "targets", "target", "y"),
)
"""Names of columns that are understood, in lower case; the first that is there is taken."""
_Row = tuple[int, list[str]]  # with the number of its last line in the file
_DELIMITERS = (",", "\t", ";", "|")
_ZERO_OR_ONE = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}
_HINT = "begin the file with the line id,labels, or name the columns: --labels FILE:ID:LABELS"


@dataclass(frozen=True)
class LabelTable:
    """N lines of labels.

    Args:
        ids: of the lines; None for a file without ids, whose lines are the rows of an array.
        labels: of each line.
        left: columns that are not read.
        lines: number of each line in the file, for messages.
    """

    ids: list[bytes] | None
    labels: CellLabels
    left: tuple[str, ...]
    lines: Sequence[int]


@dataclass(frozen=True)
class _Columns:
    """Positions of the columns; several for labels are one column for each class."""

    id: int | None
    labels: tuple[int, ...]
    names: tuple[str, ...]


def read_label_csv(
    path: Path,
    *,
    id_column: str | None = None,
    label_columns: Sequence[str] = (),
    separator: str | None = None,
    vocabulary: Vocabulary | None = None,
) -> LabelTable:
    """Read labels from a text table with commas, tabs, semicolons or bars between columns.

    It may begin with a byte order mark (UTF-8 or UTF-16) and with lines of comment (`# ...`); blank lines do
    not count. A file without a header has ids first and labels second, which must be numbers.

    Args:
        path: the file.
        id_column: name of the ids, if the file has it; otherwise a usual name (`ID_COLUMNS`).
        label_columns: names of columns; by default one of a usual name (`LABEL_COLUMNS`), or all columns of 0
            and 1 where there is none (one column for each class).
        separator: between the labels of a cell; see `split_cells`.
        vocabulary: known names of classes.

    Raises:
        NotFoundError, StorageError: the file is not there, or cannot be read.
        SchemaError: the columns are not to be recognised, or a line has another number of cells.
    """
    rows = _read(path, (id_column, *label_columns))
    if not rows:
        raise SchemaError("is empty", where=path, hint=_HINT)
    header, body = [cell.strip() for cell in rows[0][1]], rows[1:]
    columns = _columns(header, body, path, id_column, label_columns)
    if columns is None:  # no header: the first line is a video
        body, columns = rows, _Columns(0, (1,), ("column 1", "column 2"))
    for line, row in body:
        if len(row) != len(columns.names):
            what = f"{len(row)} columns instead of {len(columns.names)}"
            raise SchemaError(what, where=f"{path}: line {line}", hint="put quotes around a cell with commas")
    place = columns.id
    ids = None if place is None else [row[place].strip().encode() for _, row in body]
    try:
        labels = (
            split_cells([row[columns.labels[0]] for _, row in body], separator, vocabulary)
            if len(columns.labels) == 1
            else _one_hot(body, columns, path)
        )
    except SchemaError as error:
        raise SchemaError(error.what, where=error.where or path, hint=error.hint) from error
    left = [name for at, name in enumerate(columns.names) if at != place and at not in columns.labels]
    return LabelTable(ids, labels, tuple(left), [line for line, _ in body])


def _read(path: Path, wanted: Sequence[str | None]) -> list[_Row]:
    with disk.reading(path, "no such file of labels"):
        data = path.read_bytes()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        stream = io.StringIO(data.decode(encoding), newline="")
    except UnicodeDecodeError as error:
        what = f"is not a UTF-8 CSV file ({error.reason} at byte {error.start})"
        raise SchemaError(what, where=path, hint="save it as UTF-8") from error
    known = {*ID_COLUMNS, *LABEL_COLUMNS, *(name.lower() for name in wanted if name)}
    first, comment, before = "", "", 0
    for line in stream:
        comment, first = first, line
        if line.strip() and not line.startswith("#"):
            break
        before += 1
    if _known(comment := comment.lstrip("#"), known) > 1:  # AudioSet's own files have the header in a comment
        lines, before = [comment, first], before - 1
    else:
        lines = [first]
    delimiter = max(_DELIMITERS, key=lambda mark: (_known(lines[0], known, mark), lines[0].count(mark)))
    reader = csv.reader(chain(lines, stream), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return [(before + reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        where = f"{path}: line {before + reader.line_num}"
        raise SchemaError(f"is not a UTF-8 CSV file ({error})", where=where) from error


def _known(line: str, known: Collection[str], delimiter: str | None = None) -> int:
    """How many columns of known names a line has, with this delimiter or the best."""
    marks = _DELIMITERS if delimiter is None else (delimiter,)
    return max(sum(_plain(cell) in known for cell in line.split(mark)) for mark in marks)


def _plain(name: str) -> str:
    return name.strip().strip('"').strip().lower().replace(" ", "_").replace("-", "_")


def _columns(
    header: Sequence[str],
    body: Sequence[_Row],
    path: Path,
    id_column: str | None,
    label_columns: Sequence[str],
) -> _Columns | None:
    plain = [_plain(name) for name in header]
    names = tuple(name or f"unnamed column {at + 1}" for at, name in enumerate(header))

    def place(wanted: str | None) -> int:
        exact = header if wanted in header else plain
        if wanted in exact:
            return exact.index(wanted)
        there = ", ".join(names)
        raise SchemaError(f"has no column {wanted!r} (columns: {there})", where=path)

    def first(known: Sequence[str]) -> int | None:
        return next((plain.index(name) for name in known if name in plain), None)

    ids = place(id_column) if id_column in (*header, *plain) else first(ID_COLUMNS)
    if label_columns:
        return _Columns(ids, tuple(map(place, label_columns)), names)
    labels = first(LABEL_COLUMNS)
    if labels is not None:
        if ids is None and len(header) > 1:
            raise _unknown(names, "ids", path)
        return _Columns(ids, (labels,), names)
    others = [at for at in range(len(header)) if at != ids]
    if ids is not None:
        classes = [at for at in others if body and plain[at] and _is_class(body, at)]
        if len(classes) > 1:
            return _Columns(ids, tuple(classes), names)
    elif len(header) == 2 and _is_numbers(header[1]):
        return None
    raise _unknown(names, "labels" if ids is not None else "ids and labels", path)


def _unknown(names: Sequence[str], kind: str, path: Path) -> SchemaError:
    what = f"the columns are {','.join(names)}; no name is one that is known for {kind}"
    return SchemaError(what, where=path, hint=_HINT)


def _is_numbers(text: str) -> bool:
    return all(part.lstrip("-").isdecimal() for part in text.split())


def _is_class(body: Sequence[_Row], at: int) -> bool:
    return all(at < len(row) and row[at].strip().lower() in _ZERO_OR_ONE for _, row in body)


def _one_hot(body: Sequence[_Row], columns: _Columns, path: Path) -> CellLabels:
    texts = [columns.names[at] for at in columns.labels]
    table = np.zeros((len(body), len(texts)), dtype=bool)
    for number, (line, row) in enumerate(body):
        for place, at in enumerate(columns.labels):
            value = _ZERO_OR_ONE.get(row[at].strip().lower() or "0")
            if value is None:
                what = f"column {texts[place]!r} holds {row[at]!r}; 0 or 1 expected"
                raise SchemaError(what, where=f"{path}: line {line}")
            table[number, place] = value
    rows, classes = np.nonzero(table)
    indptr = np.searchsorted(rows, np.arange(len(body) + 1)).astype(np.int64)
    return CellLabels(indptr, classes.astype(np.int32), texts, None)
