"""Labels in a file of their own, joined to videos by their ids: of shards and of arrays that have ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from compress.datasets.contents import Column, Contents
from compress.datasets.formats.format import Wanted
from compress.datasets.formats.label_csv import LabelTable, read_label_csv
from compress.datasets.schema import MAX_CLASSES, NUM_CLASSES_HINT
from compress.datasets.vocabulary import Vocabulary, read_class_texts
from compress.description import TABLES, LabelsOption
from compress.errors import SchemaError

_SHOWN = 3


class LabelFile:
    """The labels of videos by id. An id in several lines has the labels of all of them.

    Args:
        path: the file.
        table: its lines.
        vocabulary: known names of classes.
        num_classes: C; None takes the largest label + 1, or the number of names.

    Raises:
        SchemaError: a label is no class; the lines have no ids.
    """

    def __init__(
        self, path: Path, table: LabelTable, vocabulary: Vocabulary | None, num_classes: int | None
    ) -> None:
        if table.ids is None:
            hint = "add a column id, so that the file begins with id,labels"
            raise SchemaError("has no ids, by which labels are joined to videos", where=path, hint=hint)
        self.path, self.left = path, table.left
        texts = read_class_texts(table.labels.texts, vocabulary, num_classes=num_classes, where=path)
        self.class_names = texts.class_names
        numbers = [texts.numbers[text] for text in table.labels.texts]
        self.num_classes = num_classes or len(self.class_names) or max(numbers, default=-1) + 1
        if not self.num_classes:
            what = "has no labels, so the number of classes is unknown"
            raise SchemaError(what, where=path, hint=NUM_CLASSES_HINT)
        _check_range(path, table, numbers, self.num_classes)
        self._ids, line_of = np.unique(np.array(table.ids, dtype=np.bytes_), return_inverse=True)
        self.repeated = len(table.ids) - len(self._ids)
        owner = np.repeat(line_of.reshape(-1), np.diff(table.labels.indptr))
        classes = np.array(numbers, dtype=np.int32)[table.labels.codes]
        pairs = np.unique(np.stack([owner, classes.astype(np.int64)], axis=1), axis=0)
        self._classes = pairs[:, 1].astype(np.int32)
        self._indptr = np.searchsorted(pairs[:, 0], np.arange(len(self._ids) + 1)).astype(np.int64)

    def contents(self, of_videos: Contents) -> Contents:
        """What the files of the videos hold, whose labels are left, and this file."""
        theirs = [
            replace(column, use=None) if column.use == "labels" else column for column in of_videos.columns
        ]
        ours = [Column(name, f"in {self.path.name}") for name in self.left]
        note = f"labels of {len(self):,} ids from {self.path.name}"
        return Contents((*theirs, *ours), (*of_videos.notes, note))

    def __len__(self) -> int:
        """Distinct ids."""
        return len(self._ids)

    def find(self, ids: np.ndarray) -> np.ndarray:
        """The place of each id, S<w> (n,), in this file, int64 (n,); -1 for one that is not there."""
        places = np.searchsorted(self._ids, ids)
        there = self._ids[np.minimum(places, len(self._ids) - 1)] == ids
        return np.where(there, places, -1)

    def labels_of(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many labels each id has, int64 (n,), and the classes of all, int32, one after the other."""
        places = self.find(ids)
        starts = self._indptr[places]
        counts = np.where(places < 0, 0, self._indptr[places + 1] - starts)
        ends = np.cumsum(counts)
        order = np.repeat(starts - (ends - counts), counts) + np.arange(int(ends[-1]) if len(ends) else 0)
        return counts, self._classes[order]

    def told(self, ids: np.ndarray) -> list[str]:
        """What a person should know of all videos, S<w> (N,): ids without a partner, both ways."""
        places = self.find(ids)
        found = []
        if without := int((places < 0).sum()):
            names = _some(ids[places < 0])
            found.append(
                f"{without:,} of {len(ids):,} videos are not in {self.path.name}: no labels for {names}"
            )
        absent = np.ones(len(self._ids), dtype=bool)
        absent[places[places >= 0]] = False
        if unused := int(absent.sum()):
            names = _some(self._ids[absent])
            found.append(f"{unused:,} of {len(self):,} ids of {self.path.name} are no video here: {names}")
        if self.repeated:
            found.append(
                f"{self.path.name} has {self.repeated:,} further lines of the same ids: labels joined"
            )
        return found


def _check_range(path: Path, table: LabelTable, numbers: Sequence[int], num_classes: int) -> None:
    for code, number in enumerate(numbers):
        if 0 <= number < min(num_classes, MAX_CLASSES):
            continue
        at = int(np.flatnonzero(table.labels.codes == code)[0])
        line = table.lines[int(np.searchsorted(table.labels.indptr, at, side="right")) - 1]
        if number >= MAX_CLASSES:
            raise SchemaError(
                f"label {number} is too large to be kept in 32 bits", where=f"{path}: line {line}"
            )
        hint = (
            f"{NUM_CLASSES_HINT}, when the data have more"
            if number > 0
            else "leave the cell empty for no label"
        )
        what = f"label {number} is outside [0, {num_classes})"
        raise SchemaError(what, where=f"{path}: line {line}", hint=hint)


def _some(ids: np.ndarray) -> str:
    names = [name.decode("utf-8", "backslashreplace") for name in ids[:_SHOWN].tolist()]
    return ", ".join(names) + (", ..." if len(ids) > _SHOWN else "")


def open_label_file(option: LabelsOption, wanted: Wanted) -> LabelFile:
    """Read a file of labels.

    Args:
        option: a .csv, .tsv or .txt (see `read_label_csv`).
        wanted: what was said about ids and separators, the number of classes and their names.

    Raises:
        NotFoundError, SchemaError, StorageError: no such file, or see `read_label_csv` and `LabelFile`.
    """
    if option.path is None or option.path.suffix.lower() not in TABLES:
        hint = "give a .csv with the columns id,labels"
        what = "is no table with ids, by which labels are joined to videos"
        raise SchemaError(what, where=option.path or "", hint=hint)
    table = read_label_csv(
        option.path,
        id_column=option.id or wanted.description.id,
        label_columns=option.columns,
        separator=wanted.description.label_separator,
        vocabulary=wanted.vocabulary,
    )
    return LabelFile(option.path, table, wanted.vocabulary, wanted.classes(None))
