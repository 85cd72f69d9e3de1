"""Labels as files of arrays hold them: class numbers, names, lists of either, or 0 and 1 for each class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets.formats.label_cells import split_cells
from compress.datasets.schema import MAX_CLASSES
from compress.datasets.vocabulary import Vocabulary, read_class_texts
from compress.errors import SchemaError

NO_LABELS = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True)
class SeenLabels:
    """What the labels of some videos have in common.

    Args:
        videos: how many were seen.
        width: how many values each has; 0 where one has another number than the others, or no list at all.
        is_mask: the values are booleans.
        is_binary: there is no value but 0 and 1.
        largest: class number; -1 without any.
        cells: the distinct texts that are all that a video has, perhaps several labels each.
        names: the distinct texts in lists.
    """

    videos: int = 0
    width: int = 0
    is_mask: bool = False
    is_binary: bool = True
    largest: int = -1
    cells: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def __or__(self, other: SeenLabels) -> SeenLabels:
        if not self.videos or not other.videos:
            return self if self.videos else other
        return SeenLabels(
            self.videos + other.videos,
            self.width if self.width == other.width else 0,
            self.is_mask or other.is_mask,
            self.is_binary and other.is_binary,
            max(self.largest, other.largest),
            self.cells | other.cells,
            self.names | other.names,
        )

    @property
    def is_hot(self) -> bool:
        """Whether each video has 0 or 1 for each class: as class numbers they would not recur in a video."""
        return self.width > 1 and (self.is_mask or self.is_binary)


class LabelReading:
    """What the values of labels mean.

    Args:
        seen: the labels of all videos.
        separator: between the labels of one text; see `split_cells`.
        vocabulary: known names of classes.
        num_classes: C where it is known.
        where: the file, for errors.
        names: of the class numbers in the file, where it tells; a known vocabulary may number them otherwise.

    Raises:
        SchemaError: names that the vocabulary lacks, or that may be one or several.
    """

    def __init__(
        self,
        seen: SeenLabels,
        separator: str | None,
        vocabulary: Vocabulary | None,
        num_classes: int | None,
        where: Path,
        names: tuple[str, ...] = (),
    ) -> None:
        self._is_hot, self._where = seen.is_hot, where
        cells = sorted(seen.cells)
        cut = split_cells(cells, separator, vocabulary)
        texts = {*cut.texts, *seen.names, *(names[: seen.largest + 1] if vocabulary else ())}
        found = read_class_texts(texts, vocabulary, num_classes=num_classes, where=where)
        self._names = found.numbers
        self._cells = {
            cell: [cut.texts[code] for code in cut.codes[low:high]]
            for cell, low, high in zip(cells, cut.indptr[:-1], cut.indptr[1:], strict=True)
        }
        self._names_of_numbers = names
        self.class_names = found.class_names
        if names and not self.class_names:
            self.class_names = Vocabulary.from_list(names).to_list(num_classes or len(names))
        largest = seen.width - 1 if seen.is_hot else seen.largest
        self.largest = max([len(self.class_names) - 1, *found.numbers.values(), largest])

    def __call__(self, value: Any) -> np.ndarray:
        """The classes of one video, int32 (n,), ascending and distinct; the range is not checked."""
        if value is None:
            return NO_LABELS
        if isinstance(value, str | bytes):
            return _packed((self._names[text] for text in self._cells[_text(value)]), self._where)
        array = np.atleast_1d(np.asarray(value))
        if self._is_hot:
            return np.flatnonzero(array).astype(np.int32)
        if array.dtype.kind in "SUO":
            return _packed((self._names[_text(item)] for item in array.tolist()), self._where)
        numbers = array[~np.isnan(array)].astype(np.int64).tolist()
        if self._names_of_numbers:  # -1 is an unlabelled video of the library `datasets`
            called = [self._names_of_numbers[number] for number in numbers if number >= 0]
            numbers = [self._names.get(name, self._names_of_numbers.index(name)) for name in called]
        return _packed(numbers, self._where)


def see_labels(values: Sequence[Any], where: Path) -> SeenLabels:
    """Look at the labels of some videos.

    Args:
        values: an array (n,) or (n, C); or of each video a number, a text, a list, an array or None.
        where: the file, for errors.

    Raises:
        SchemaError: numbers that are no class numbers, such as scores.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "biuf":
        return _seen_array(values, where)
    found = SeenLabels()
    cells: set[str] = set()
    names: set[str] = set()
    arrays: list[np.ndarray] = []
    for value in values:
        if isinstance(value, str | bytes):
            cells.add(_text(value))
        elif value is not None:
            array = np.asarray(value)
            if array.dtype.kind in "SUO":
                names.update(map(_text, array.tolist()))
            else:
                arrays.append(array)
    widths = {array.shape for array in arrays}
    if arrays and len(widths) == 1 and len(arrays) == len(values):
        found = _seen_array(np.stack(arrays), where)
    else:
        for array in arrays:
            found |= _seen_array(array.reshape(-1), where)
    return replace(found, videos=len(values), cells=frozenset(cells), names=frozenset(names))


def _seen_array(values: np.ndarray, where: Path) -> SeenLabels:
    if values.dtype.kind == "f":
        values = _whole(values, where)
    width = values.shape[1] if values.ndim == 2 else 0
    is_binary = bool(((values == 0) | (values == 1)).all())
    largest = int(values.max()) if values.size else -1
    return SeenLabels(len(values), width, values.dtype.kind == "b", is_binary, largest)


def _whole(values: np.ndarray, where: Path) -> np.ndarray:
    """Floats that are whole numbers, as such; a missing number of a scalar is left out."""
    present = values[~np.isnan(values)] if values.ndim < 2 else values
    whole = present.astype(np.int64) if np.isfinite(present).all() else None
    if whole is None or (whole != present).any():
        what = "the labels are not whole numbers but, it seems, scores"
        raise SchemaError(what, where=where, hint="write 1 for each class that a video has, 0 for all others")
    return whole


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return "" if value is None else str(value)


def _packed(classes: Iterable[int], where: Path) -> np.ndarray:
    distinct = sorted(set(classes))  # for a handful of labels twice as fast as np.unique
    for label in distinct[:1] + distinct[-1:]:
        if abs(label) > MAX_CLASSES:
            raise SchemaError(f"label {label} does not fit 32 bits", where=where)
    return np.array(distinct, dtype=np.int32)
