"""Labels and ids of the rows of a file, from a .csv or .npz beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets.formats.arrays import AxisRows, check_indptr
from compress.datasets.formats.columns import TypedColumn
from compress.datasets.formats.label_csv import read_label_csv
from compress.datasets.formats.rows import Rows
from compress.datasets.schema import MAX_CLASSES
from compress.datasets.vocabulary import Vocabulary, read_class_texts
from compress.description import LABEL_FILES, LabelsOption
from compress.doors.npy import read_npz
from compress.errors import SchemaError


class SidecarRows:
    """The rows of a file with labels, and perhaps ids, of another one.

    Lines are in the order of the rows, or, where each video has a name in its file, found by their ids.

    Args:
        rows: of the file.
        option, separator, vocabulary: of `read_sidecar`.

    Raises:
        SchemaError: it is not of as many rows, or what `read_sidecar` raises.
    """

    def __init__(
        self, rows: Rows, option: LabelsOption, separator: str | None, vocabulary: Vocabulary | None
    ) -> None:
        self._rows, self.path, self.notes, self.ids_are = rows, rows.path, rows.notes, rows.ids_are
        found = read_sidecar(option, separator, vocabulary)
        labels_file, self._values = found.path, dict(found.values)
        self._by_id: Mapping[str, Any] | None = None
        if not isinstance(rows, AxisRows) and "id" in self._values:
            ids = [_text(name) for name in self._values.pop("id")]
            by_id: dict[str, list[Any]] = {}
            for name, labels in zip(ids, self._values["labels"], strict=True):
                by_id.setdefault(name, []).extend(labels)
            self._by_id = by_id
        inside = f"in {labels_file.name}"
        types = {"id": TypedColumn("id", "text", (), inside)}
        types["labels"] = TypedColumn("labels", "integer", (None,), inside, class_names=found.class_names)
        left = (TypedColumn(name, "other", (), inside) for name in found.left)
        theirs = {column.name: column for column in rows.columns if column.name not in self._values}
        self.columns = (*theirs.values(), *(types[name] for name in self._values), *left)
        self._labels_file = labels_file

    def count(self, names: Sequence[str]) -> int:
        rows = self._rows.count([name for name in names if name not in self._values])
        if self._by_id is not None:
            return rows
        for values in self._values.values():
            if len(values) != rows:
                what = f"there are labels of {len(values)} videos, but features of {rows}"
                raise SchemaError(what, where=self._labels_file)
        return rows

    def blocks(self, names: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        inside = [name for name in names if name not in self._values]
        outside = [name for name in names if name in self._values]
        if not inside:
            yield {name: self._values[name] for name in outside}
            return
        start, values = 0, self._values
        if self._by_id is not None:
            ids = map(self._rows.default_id, range(self._rows.count(inside)))
            values = {"labels": [self._by_id.get(video_id) for video_id in ids]}
        for block in self._rows.blocks(inside):
            stop = start + len(block[inside[0]])
            yield {**block, **{name: values[name][start:stop] for name in outside}}
            start = stop

    def default_id(self, row: int) -> str:
        return self._rows.default_id(row)


def _text(name: str | bytes) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name


@dataclass(frozen=True)
class Sidecar:
    """Labels of rows.

    Args:
        path: of the file.
        values: `labels`, of each row a list of numbers or names, and `id` where the file has ids.
        class_names: where the labels are numbers of names that the file has.
        left: columns that are not read.
    """

    path: Path
    values: Mapping[str, Sequence[Any]]
    class_names: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def find_sidecar(path: Path) -> Path | None:
    """The labels file of an array file, by its name."""
    beside = [path.with_name(path.stem + ending) for ending in (".labels.csv", ".labels.npz")]
    present = [file for file in beside if file.is_file()]
    if len(present) > 1:
        what = f"both {present[0].name} and {present[1].name} exist"
        raise SchemaError(what, where=path, hint="name the labels file with --labels, or remove one")
    return present[0] if present else None


def read_sidecar(
    option: LabelsOption, separator: str | None = None, vocabulary: Vocabulary | None = None
) -> Sidecar:
    """Read a file of labels.

    Args:
        option: a .csv (see `read_label_csv`), or a .npz with `indptr`, `indices` and perhaps `ids`.
        separator: between the labels of a cell.
        vocabulary: known names of classes.

    Raises:
        NotFoundError: no such file.
        SchemaError: it holds anything else.
    """
    path = option.path or Path()
    suffix = path.suffix.lower()
    if suffix not in LABEL_FILES:
        hint = f"use {', '.join(LABEL_FILES)}"
        raise SchemaError(f"cannot read labels from '{suffix}' files", where=path, hint=hint)
    if suffix == ".npz":
        return Sidecar(path, _read_npz(path))
    table = read_label_csv(
        path, id_column=option.id, label_columns=option.columns, separator=separator, vocabulary=vocabulary
    )
    found, texts = table.labels, list(table.labels.texts)
    names: tuple[str, ...] = ()
    values = np.array([*texts, ""], dtype=object)
    if vocabulary is None:
        told = read_class_texts(texts, where=path)
        for text, number in told.numbers.items():
            if abs(number) > MAX_CLASSES:
                raise SchemaError(f"label {text} is too large to be kept in 32 bits", where=path)
        values = np.array([*(told.numbers[text] for text in texts), 0], dtype=np.int64)
        names = told.class_names
    labels = np.split(values[found.codes], found.indptr[1:-1])
    columns: dict[str, Sequence[Any]] = {} if table.ids is None else {"id": table.ids}
    columns["labels"] = labels
    return Sidecar(path, columns, names, table.left)


def _read_npz(path: Path) -> Mapping[str, Sequence[Any]]:
    found = read_npz(path, error=SchemaError)
    missing = [name for name in ("indptr", "indices") if name not in found]
    if missing:
        raise SchemaError(
            f"has no array '{missing[0]}'", where=path, hint="it needs indptr and indices, and may have ids"
        )
    indptr, indices = found["indptr"], found["indices"]
    if indices.dtype.kind not in "iu" or indices.ndim != 1:
        raise SchemaError(f"indices are {indices.dtype} {indices.shape}; integers (n,) expected", where=path)
    bounds = check_indptr(path, indptr, len(indices), len(indptr) - 1 if indptr.ndim else 0)
    labels = np.split(indices, bounds[1:-1])
    if "ids" not in found:
        return {"labels": labels}
    ids = found["ids"]
    if ids.dtype.kind not in "SU" or ids.shape != (len(labels),):
        raise SchemaError(f"ids are {ids.dtype} {ids.shape}; {len(labels)} strings expected", where=path)
    return {"id": ids.tolist(), "labels": labels}
