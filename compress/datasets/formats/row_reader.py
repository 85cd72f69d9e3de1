"""Records out of the rows of a file: features joined, ids as text, labels as class numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets.contents import UNNAMED, Contents
from compress.datasets.formats.array_layouts import lay_out
from compress.datasets.formats.arrays import ArrayFile
from compress.datasets.formats.columns import Roles, find_roles
from compress.datasets.formats.format import Format, Wanted, check_cut, check_level
from compress.datasets.formats.label_values import NO_LABELS, LabelReading, SeenLabels, see_labels
from compress.datasets.formats.rows import Rows, partitions
from compress.datasets.formats.sidecar import SidecarRows, find_sidecar
from compress.datasets.formats.vectors import VectorReader, as_float32, vector_schema
from compress.datasets.record import FrameRecord, Record, VideoRecord
from compress.datasets.schema import Level
from compress.description import LabelsOption
from compress.errors import SchemaError


class RowFile:
    """The videos of one file; see `VectorFile`.

    Args:
        rows: of the file.
        roles: of its columns.
        contents: of the file, with what was assumed about it.
        seen: the labels of all files of the source.
        wanted: see `Wanted`.
        labels_file: where the labels are, if they are in a file of their own.
    """

    def __init__(
        self,
        rows: Rows,
        roles: Roles,
        contents: Contents,
        seen: SeenLabels,
        wanted: Wanted,
        labels_file: Path | None,
    ) -> None:
        self._rows, self._roles, self.labels_file = rows, roles, labels_file
        names = roles.labels.class_names if roles.labels else ()
        separator, vocabulary = wanted.description.label_separator, wanted.vocabulary
        self._labels = LabelReading(seen, separator, vocabulary, wanted.classes(None), rows.path, names)
        level: Level = "frame" if roles.is_frames else "video"
        schema = vector_schema(rows.path, roles.chosen, wanted, self._labels.largest, level)
        is_float = roles.features[0].kind == "float"
        self._type = np.dtype(np.float32 if is_float else np.uint8)
        self.schema = replace(
            schema, float_frames=roles.is_frames and is_float, class_names=self._labels.class_names
        )
        self.contents = contents
        made_up = rows.default_id(0) if roles.id is None and rows.ids_are else ""
        folders = {name: value for name, value in partitions(rows.path).items() if name in roles.sources}
        self.folder_says = made_up + (json.dumps(folders) if folders else "")

    def read(self) -> Iterator[Record]:
        """Every video, unchecked."""
        roles, row = self._roles, 0
        record = FrameRecord if roles.is_frames else VideoRecord
        for block in self._rows.blocks(roles.sources):
            features = self._features(block)
            ids = block[roles.id.name] if roles.id else None
            labels = block[roles.labels.name] if roles.labels else None
            for place, values in enumerate(features):
                video_id = self._rows.default_id(row).encode() if ids is None else _id(ids[place])
                classes = NO_LABELS if labels is None else self._labels(labels[place])
                yield record(video_id, classes, values)
                row += 1

    def _features(self, block: Mapping[str, Sequence[Any]]) -> Sequence[np.ndarray]:
        """Of each video (D,) or (T, D), of the type of the schema."""
        parts: list[Sequence[np.ndarray]] = []
        for column in self._roles.features:
            if column.parts:
                columns = [as_float32(np.asarray(block[name])) for name in column.parts]
                parts.append([*np.stack(columns, axis=1)])
            else:
                found = block[column.name]
                is_array = isinstance(found, np.ndarray) and found.dtype.kind in "fu"
                parts.append([*self._typed(found)] if is_array else [self._typed(values) for values in found])
        cut = self.schema.max_frames if self._roles.is_frames else None
        if len(parts) == 1:
            return parts[0] if cut is None else [values[:cut] for values in parts[0]]
        return [self._joined(values)[:cut] for values in zip(*parts, strict=True)]

    def _typed(self, values: Any) -> np.ndarray:
        if values is None:
            return np.zeros((0, self.schema.dim) if self._roles.is_frames else 0, self._type)
        array = np.asarray(values)
        if (array.dtype.kind == "f") != (self._type.kind == "f"):
            what = f"some features are {array.dtype}, {self._type} expected"
            raise SchemaError(what, where=self._rows.path, hint="convert all to one type")
        return as_float32(array) if self._type.kind == "f" else array

    def _joined(self, values: Sequence[np.ndarray]) -> np.ndarray:
        if self._roles.is_frames and len({len(part) for part in values}) > 1:
            keys = self._roles.chosen.keys
            counts = ", ".join(f"{len(part)} of '{key}'" for part, key in zip(values, keys, strict=True))
            raise SchemaError(f"frame counts of a video differ: {counts}", where=self._rows.path)
        return np.concatenate(values, axis=-1)


def array_format(
    name: str,
    suffixes: tuple[str, ...],
    open_file: Callable[[Path, str], ArrayFile],
    takes_labels_file: bool = False,
) -> Format:
    """A format whose files are arrays.

    Args:
        name: for people.
        suffixes: of file names, in lower case.
        open_file: (path, the name of an array that has none in its file) -> its arrays.
        takes_labels_file: labels and ids may be in a file beside it, in the order of the rows.
    """

    def open_all(paths: Sequence[Path], wanted: Wanted) -> list[Rows]:
        labelled = [path for path in paths if takes_labels_file and _labels_beside(path, wanted)]
        names = wanted.description.features or ()
        name = names[0] if len(names) == 1 else UNNAMED[0]
        return lay_out([open_file(path, name) for path in paths], wanted, labelled)

    return _format(name, suffixes, open_all, takes_labels_file)


def row_format(name: str, suffixes: tuple[str, ...], open_rows: Callable[[Path], Rows]) -> Format:
    """A format whose files are tables: a row for each video."""
    return _format(name, suffixes, lambda paths, wanted: [open_rows(path) for path in paths], False)


def _format(
    name: str,
    suffixes: tuple[str, ...],
    open_all: Callable[[Sequence[Path], Wanted], Sequence[Rows]],
    takes_labels_file: bool,
) -> Format:
    def open_files(paths: Sequence[Path], wanted: Wanted) -> Mapping[Path, VectorReader]:
        tables = open_all(paths, wanted)
        beside = {path: _labels_beside(path, wanted) if takes_labels_file else None for path in paths}
        said = (wanted.description.label_separator, wanted.vocabulary)
        tables = [
            SidecarRows(rows, option, *said) if (option := beside[rows.path]) else rows for rows in tables
        ]
        roles = [find_roles(rows.columns, wanted.description, wanted.reads, rows.path) for rows in tables]
        if wanted.labels_elsewhere:
            roles = [replace(found, labels=None) for found in roles]
        # Of all files: one video does not tell 0 or 1 for each class from class numbers, nor C.
        seen = reduce(or_, map(_seen, tables, roles), SeenLabels())
        readers = {}
        for rows, found in zip(tables, roles, strict=True):
            contents = _contents(rows, found, tables[0].default_id(0))
            labels = beside[rows.path]
            file = RowFile(rows, found, contents, seen, wanted, labels.path if labels else None)
            check_level(wanted, file.schema.level, rows.path)
            check_cut(file.schema, wanted.max_frames)
            readers[rows.path] = VectorReader(rows.path, file, wanted.policy)
        return readers

    return Format(name, "arrays", suffixes, open_files, takes_labels_file)


def _labels_beside(path: Path, wanted: Wanted) -> LabelsOption | None:
    if wanted.labels_elsewhere or wanted.labels:
        return None if wanted.labels_elsewhere else wanted.labels
    found = find_sidecar(path)
    return None if found is None else LabelsOption(found)


def _seen(rows: Rows, roles: Roles) -> SeenLabels:
    """What the labels of a file are like; checks that the columns are of as many videos."""
    rows.count(roles.sources)
    if roles.labels is None:
        return SeenLabels()
    name = roles.labels.name
    return reduce(or_, (see_labels(block[name], rows.path) for block in rows.blocks([name])), SeenLabels())


def _contents(rows: Rows, roles: Roles, example: str) -> Contents:
    made = f"the files hold no ids: made of the {rows.ids_are}, as in {example}"
    notes = (*rows.notes, *((made,) if roles.id is None and rows.ids_are else ()))
    return replace(roles.contents, notes=(*notes, *roles.contents.notes))


def _id(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return b"" if value is None else str(value).encode("utf-8", "surrogatepass")
