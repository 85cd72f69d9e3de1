"""Names of the classes: vocabulary files, and labels that are names instead of numbers."""

from __future__ import annotations

import csv
import difflib
import gzip
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from compress.artifacts import disk
from compress.doors.guard import guarded
from compress.errors import DataError, NotFoundError, SchemaError

# Compared in lower case; the first that is there is taken.
_INDEX_COLUMNS = ("index", "class_index", "label_index", "idx", "class_id", "label_id", "id", "number")
_NAME_COLUMNS = ("name", "display_name", "class_name", "label_name", "label", "class", "category", "title")
_CODE_COLUMNS = ("knowledgegraphid", "mid")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+(\.0*)?")  # pandas writes 3 as 3.0 in a column with gaps
_LARGEST_BYTES = 256 << 20
_MOST_DIGITS = 9  # class numbers are kept in 32 bits
_HINT = "a vocabulary has the columns index,name, or is a .txt file with one name per line"


@dataclass(frozen=True)
class Vocabulary:
    """Names of classes.

    Args:
        names: by class index; a vocabulary may name only some classes (segments: 1000 of 3862).
        codes: further names, such as knowledge graph ids, and their class indexes.
    """

    names: Mapping[int, str]
    codes: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> Vocabulary:
        """The vocabulary of the distinct names, numbered from 0 in the order of their code points."""
        return cls(dict(enumerate(sorted(set(names)))))

    @classmethod
    def from_list(cls, class_names: Iterable[str]) -> Vocabulary:
        """The vocabulary of names in the order of their numbers; an empty one is a class without a name."""
        return cls({number: name for number, name in enumerate(class_names) if name})

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, index: object) -> bool:
        return index in self.names

    @property
    def num_classes(self) -> int:
        """The largest index + 1."""
        return max(self.names, default=-1) + 1

    def name(self, index: int) -> str:
        """The name of a class; NotFoundError when the vocabulary does not name it."""
        try:
            return self.names[int(index)]
        except KeyError:
            raise NotFoundError(f"class {index} is not among the {len(self)} of the vocabulary") from None

    def shown(self, index: int) -> str:
        """The name of a class for a person to read: its number where the vocabulary does not name it."""
        return self.names.get(int(index), str(index))

    def to_list(self, num_classes: int) -> tuple[str, ...]:
        """The names of classes 0, 1, ..., `num_classes` - 1; empty where there is none."""
        return tuple(self.names.get(number, "") for number in range(num_classes))

    def fits(self, class_names: Sequence[str]) -> bool:
        """Whether it gives these classes these names, and no class more."""
        return self.num_classes <= len(class_names) and self.to_list(len(class_names)) == tuple(class_names)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The class index of each name and code; a name that two classes have is left out."""
        found = dict(self.codes)
        twice = set()
        for index, name in self.names.items():
            if found.setdefault(name, index) != index:
                twice.add(name)
        return {name: index for name, index in found.items() if name not in twice}


@dataclass(frozen=True)
class ClassTexts:
    """What the texts of labels mean.

    Args:
        numbers: class index of each text.
        class_names: names by class index, empty for a class without one; () when the texts are numbers.
    """

    numbers: Mapping[str, int]
    class_names: tuple[str, ...] = ()


def read_class_texts(
    texts: Iterable[str],
    vocabulary: Vocabulary | None = None,
    *,
    num_classes: int | None = None,
    where: str | Path = "",
) -> ClassTexts:
    """Class numbers of labels that are texts: names of classes, or written numbers.

    Args:
        texts: every label that occurs, in any order; repeats do not matter.
        vocabulary: known names; None numbers the texts from 0 in the order of their code points. Texts that
            are all whole numbers ("3", "3.0"), and not names of the vocabulary, are class numbers.
        num_classes: C where it is known, for the list of names.
        where: the file, for errors.

    Raises:
        SchemaError: a text is neither a name of the vocabulary nor a whole number.

    Example:
        >>> read_class_texts(["dog", "cat", "dog"]).numbers
        {'cat': 0, 'dog': 1}
        >>> read_class_texts(["7", "2.0"]).numbers
        {'2.0': 2, '7': 7}
    """
    distinct = sorted(set(texts))
    unnamed = (
        distinct if vocabulary is None else [text for text in distinct if text not in vocabulary.numbers]
    )
    if len(unnamed) == len(distinct) and all(map(_WHOLE_NUMBER.fullmatch, distinct)):
        if long := [text for text in distinct if len(text.split(".")[0]) > _MOST_DIGITS + 2]:
            raise SchemaError(f"label {long[0][:32]} is too large to be kept in 32 bits", where=where)
        return ClassTexts({text: int(text.split(".")[0]) for text in distinct})
    if vocabulary is None:
        vocabulary = Vocabulary.of(distinct)
    elif unnamed:
        raise _unknown(unnamed, vocabulary, where)
    numbers = {text: vocabulary.numbers[text] for text in distinct}
    return ClassTexts(numbers, vocabulary.to_list(num_classes or vocabulary.num_classes))


def _unknown(unnamed: list[str], vocabulary: Vocabulary, where: str | Path) -> SchemaError:
    first, several = unnamed[0], f" (and {len(unnamed) - 1} more)" if len(unnamed) > 1 else ""
    if first in vocabulary.names.values():
        what = f"the name {first!r} belongs to several classes of the vocabulary{several}"
        return SchemaError(what, where=where, hint="give their numbers or knowledge graph ids as labels")
    close = difflib.get_close_matches(first, list(vocabulary.numbers), n=1, cutoff=0.8)
    meant = f"did you mean {close[0]!r}? " if close else ""
    what = f"the label {first!r} is not among the {len(vocabulary):,} names of the vocabulary{several}"
    return SchemaError(what, where=where, hint=f"{meant}add it to the vocabulary, or correct the labels")


def load_vocabulary(path: Path) -> Vocabulary:
    """Read the names of classes from a CSV file with a header, or from a .txt file with one name per line.

    Published ones: vocabulary.csv of YouTube-8M, class_labels_indices.csv of AudioSet. Either may be
    gzip-compressed. A class without a name is called by its knowledge graph id.

    Args:
        path: the file; a CSV has a column of class numbers, such as index, and one of names, such as name or
            display_name, in any case and order.

    Raises:
        NotFoundError: no such file.
        DataError: it is no such file, or an index is missing, doubled or not a number.
        StorageError: the file cannot be read.
    """
    is_list = path.with_suffix("").suffix == ".txt" or path.suffix == ".txt"
    with (
        disk.reading(path, "no such vocabulary"),
        guarded(path, "a CSV file", hint=_HINT),
        gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file,
    ):
        data = file.read(_LARGEST_BYTES + 1)
        if len(data) > _LARGEST_BYTES:
            raise DataError(f"has more than {_LARGEST_BYTES:,} bytes", where=path, hint=_HINT)
        text = io.StringIO(data.decode("utf-8-sig"), newline="")
        rows = [] if is_list else _numbered(csv.reader(text, strict=True))
    return _lines(text, path) if is_list else _table(rows, path)


def vocabulary_csv(vocabulary: Vocabulary) -> bytes:
    """The file that `load_vocabulary` reads back, as UTF-8."""
    quoted = ((number, vocabulary.names[number].replace('"', '""')) for number in sorted(vocabulary.names))
    return "".join(["index,name\n", *(f'{number},"{name}"\n' for number, name in quoted)]).encode()


def _lines(text: Iterable[str], path: Path) -> Vocabulary:
    names = [line.strip() for line in text]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise DataError("names no classes", where=path)
    return Vocabulary.from_list(names)


def _numbered(rows: Any) -> list[tuple[int, list[str]]]:
    """The lines that are not empty, with their numbers."""
    return [(rows.line_num, row) for row in rows if any(cell.strip() for cell in row)]


def _table(rows: list[tuple[int, list[str]]], path: Path) -> Vocabulary:
    filled = iter(rows)
    columns = [column.strip().lower() for column in next(filled, (1, []))[1]]
    index = next((columns.index(column) for column in _INDEX_COLUMNS if column in columns), None)
    name = next((columns.index(column) for column in _NAME_COLUMNS if column in columns), None)
    if index is None or name is None:
        there = ", ".join(columns) or "none"
        raise DataError(f"has no columns for index and name (columns: {there})", where=path, hint=_HINT)
    code = next((columns.index(column) for column in _CODE_COLUMNS if column in columns), None)
    names: dict[int, str] = {}
    codes: dict[str, int] = {}
    for line, row in filled:
        place = f"{path}: line {line}"
        if len(row) != len(columns):
            raise DataError(f"has {len(row)} columns instead of {len(columns)}", where=place)
        digits = row[index].strip()
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
            raise DataError(f"index {row[index][:32]!r} is not a number", where=place)
        number, called = int(row[index]), "" if code is None else row[code].strip()
        if number in names:
            raise DataError(f"index {number} occurs twice", where=place)
        names[number] = row[name].strip() or called or f"class {number}"
        if called:
            codes[called] = number
    if not names:
        raise DataError("names no classes", where=path)
    return Vocabulary(names, codes)
