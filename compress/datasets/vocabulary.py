"""Names of the classes: vocabulary files of YouTube-8M and AudioSet."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compress.artifacts import disk
from compress.errors import DataError, NotFoundError

_INDEX_COLUMNS = ("Index", "index")
_NAME_COLUMNS = ("Name", "display_name")
_CODE_COLUMNS = ("KnowledgeGraphId", "mid")


@dataclass(frozen=True)
class Vocabulary:
    """Names of classes.

    Args:
        names: by class index; a vocabulary may name only some classes (segments: 1000 of 3862).
    """

    names: Mapping[int, str]

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, index: object) -> bool:
        return index in self.names

    def name(self, index: int) -> str:
        """The name of a class; NotFoundError when the vocabulary does not name it."""
        try:
            return self.names[int(index)]
        except KeyError:
            raise NotFoundError(f"class {index} is not among the {len(self)} of the vocabulary") from None


def load_vocabulary(path: Path) -> Vocabulary:
    """Read vocabulary.csv of YouTube-8M, class_labels_indices.csv of AudioSet, or either gzip-compressed.

    A class without a name is called by its knowledge graph id.

    Args:
        path: a CSV file with a header; the columns are Index or index, Name or display_name.

    Raises:
        NotFoundError: no such file.
        DataError: it is no such CSV, or an index is missing, doubled or not a number.
        StorageError: the file cannot be read.
    """
    open_text = gzip.open if path.suffix == ".gz" else open
    with disk.reading(path, "no such vocabulary"):
        try:
            with open_text(path, "rt", encoding="utf-8", newline="") as text:
                return Vocabulary(_names(csv.DictReader(text), path))
        except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile) as error:
            raise DataError(f"cannot be read as CSV: {error}", where=path) from error


def _names(rows: csv.DictReader[str], path: Path) -> dict[int, str]:
    columns = rows.fieldnames or ()
    index = next((column for column in _INDEX_COLUMNS if column in columns), None)
    name = next((column for column in _NAME_COLUMNS if column in columns), None)
    if index is None or name is None:
        there = ", ".join(columns) or "none"
        raise DataError(f"has no columns for index and name (columns: {there})", where=path)
    code = next((column for column in _CODE_COLUMNS if column in columns), name)
    names: dict[int, str] = {}
    for row in rows:
        place = f"{path}: line {rows.line_num}"
        if not (row[index] or "").isdecimal():
            raise DataError(f"index {row[index]!r} is not a number", where=place)
        if int(row[index]) in names:
            raise DataError(f"index {row[index]} occurs twice", where=place)
        names[int(row[index])] = row[name] or row[code] or f"class {row[index]}"
    if not names:
        raise DataError("names no classes", where=path)
    return names
