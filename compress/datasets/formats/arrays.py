"""Files of named arrays, and the ways in which videos lie in them.

HDF5, .npy, .npz and .pt files all are arrays with names. They are read in one of four ways: the first axis of
each array are the videos (`AxisRows`), the file is one video (`FileRow`), each array is one (`ArrayRows`), or
each group of arrays is one (`GroupRows`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from compress.datasets.formats.columns import Kind, TypedColumn
from compress.datasets.formats.rows import BLOCK_BYTES, BLOCK_ROWS, file_id, made_up_id
from compress.errors import DataError, SchemaError

INDPTR, INDICES = "labels/indptr", "labels/indices"

# (name, first row, row after the last) -> these rows; an array without axes is given whole.
ReadArray = Callable[[str, int, int], np.ndarray]


@dataclass(frozen=True)
class ArrayType:
    """The type of an array without its numbers; `dtype` is for people."""

    kind: Kind
    shape: tuple[int, ...]
    dtype: str
    itemsize: int = 8

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}" if self.shape else self.dtype

    def holds(self, axis: str) -> str:
        """The type for people, with a letter for the first axis, in which files differ: `uint8 (N, 10)`."""
        sizes = ", ".join([axis, *map(str, self.shape[1:])])
        return f"{self.dtype} ({sizes})" if self.shape else self.dtype


class ArrayFile(Protocol):
    """A file of arrays; those that cannot be read have the kind "other"."""

    @property
    def path(self) -> Path: ...

    @property
    def arrays(self) -> Mapping[str, ArrayType]:
        """By name, in the order of the file, with "/" between a group and what is in it."""
        ...

    def opened(self) -> AbstractContextManager[ReadArray]:
        """A function that reads; it is fast when the rows of an array are read in their order."""
        ...


class AxisRows:
    """The first axis of each array are the videos: features (N, D) or (N, T, D), ids (N,), labels.

    Labels may be packed: of video i `labels/indices`, from `labels/indptr[i]` to `labels/indptr[i + 1]`.
    """

    notes: tuple[str, ...] = ()
    ids_are = "folder, name of the file and row"

    def __init__(self, file: ArrayFile) -> None:
        self.path, self._file, self._arrays = file.path, file, file.arrays
        self._packed = INDPTR in file.arrays or INDICES in file.arrays
        if self._packed and not (INDPTR in file.arrays and INDICES in file.arrays):
            raise SchemaError(f"has only one of {INDPTR} and {INDICES}", where=file.path)
        columns = []
        for name, found in file.arrays.items():
            if self._packed and name in (INDPTR, INDICES):
                if name == INDICES:
                    columns.append(TypedColumn("labels", found.kind, (None,), found.holds("n")))
            else:
                kind = found.kind if found.shape else "other"
                columns.append(TypedColumn(name, kind, found.shape[1:], found.holds("N")))
        self.columns = tuple(columns)

    def count(self, names: Sequence[str]) -> int:
        counts = {name: self._count(name) for name in names}
        first = names[0]
        if not counts[first]:
            raise DataError(f"'{first}' has no rows", where=self.path)
        for name, rows in counts.items():
            if rows != counts[first]:
                what = f"'{name}' is of {rows} videos, '{first}' of {counts[first]}"
                raise SchemaError(what, where=self.path)
        return counts[first]

    def blocks(self, names: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        total = self.count(names)
        kinds = [self._arrays[name] for name in names if name in self._arrays]
        widest = sum(kind.itemsize * int(np.prod(kind.shape[1:])) for kind in kinds)
        step = max(1, min(BLOCK_ROWS, BLOCK_BYTES // max(widest, 1)))
        with self._file.opened() as read:
            indptr = None if set(names) <= set(self._arrays) else self._indptr(read)
            for start in range(0, total, step):
                stop = min(start + step, total)
                found: dict[str, Any] = {
                    name: read(name, start, stop) for name in names if name in self._arrays
                }
                if indptr is not None:
                    found["labels"] = _unpacked(read, indptr, start, stop)
                yield found

    def default_id(self, row: int) -> str:
        return made_up_id(self.path, row)

    def _count(self, name: str) -> int:
        return self._arrays[name].shape[0] if name in self._arrays else self._arrays[INDPTR].shape[0] - 1

    def _indptr(self, read: ReadArray) -> np.ndarray:
        bounds = read(INDPTR, 0, self._arrays[INDPTR].shape[0])
        return check_indptr(self.path, bounds, self._arrays[INDICES].shape[0], len(bounds) - 1)


def _unpacked(read: ReadArray, indptr: np.ndarray, start: int, stop: int) -> list[np.ndarray]:
    bounds = indptr[start : stop + 1]
    return np.split(read(INDICES, int(bounds[0]), int(bounds[-1])), bounds[1:-1] - bounds[0])


def check_indptr(path: Path, indptr: np.ndarray, num_indices: int, num_rows: int) -> np.ndarray:
    """`indptr` as int64; SchemaError unless it cuts `num_indices` labels into `num_rows` rows."""
    if indptr.dtype.kind not in "iu" or indptr.ndim != 1:
        raise SchemaError(f"indptr is {indptr.dtype} {indptr.shape}; integers (N + 1,) expected", where=path)
    if len(indptr) != num_rows + 1:
        rows = len(indptr) - 1
        raise SchemaError(f"there are labels of {rows} videos, but features of {num_rows}", where=path)
    bounds = indptr.astype(np.int64)
    if bounds[0] != 0 or bounds[-1] != num_indices or (np.diff(bounds) < 0).any():
        raise SchemaError(f"indptr does not cut {num_indices} indices from the first to the last", where=path)
    return bounds


class FileRow:
    """The file is one video: features (D,) or frames (T, D), perhaps its labels and its id."""

    ids_are = "name of the file"

    def __init__(self, file: ArrayFile, notes: tuple[str, ...], with_folder: bool) -> None:
        self.path, self._file, self.notes, self._with_folder = file.path, file, notes, with_folder
        frames = _has_frames(file.arrays.values())
        self.columns = tuple(
            TypedColumn(name, found.kind, _of_one(found, frames), found.holds("T"))
            for name, found in file.arrays.items()
        )

    def count(self, names: Sequence[str]) -> int:
        return 1

    def blocks(self, names: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        with self._file.opened() as read:
            yield {name: [_value(read, name, self._file.arrays[name])] for name in names}

    def default_id(self, row: int) -> str:
        return file_id(self.path, self._with_folder)


class ArrayRows:
    """Each array is one video: features (D,) or frames (T, D); its name is the id."""

    ids_are = ""

    def __init__(self, file: ArrayFile, names: Sequence[str], notes: tuple[str, ...]) -> None:
        self.path, self._file, self._names, self.notes = file.path, file, list(names), notes
        first = file.arrays[self._names[0]]
        lengths = [file.arrays[name].shape[0] for name in self._names]
        size = (
            f"{min(lengths)} to {max(lengths)} frames of {first.shape[-1]}"
            if len(first.shape) == 2
            else first.shape
        )
        holds = f"{len(self._names)} arrays {first.dtype}, {size}"
        left = (
            TypedColumn(name, "other", (), str(kind))
            for name, kind in file.arrays.items()
            if name not in names
        )
        self._column = "frames" if len(first.shape) == 2 else "features"
        self.columns = (TypedColumn(self._column, first.kind, _of_one(first), holds), *left)

    def count(self, names: Sequence[str]) -> int:
        return len(self._names)

    def blocks(self, names: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        with self._file.opened() as read:
            for video in self._names:
                yield {self._column: [_value(read, video, self._file.arrays[video])]}

    def default_id(self, row: int) -> str:
        return self._names[row]


class GroupRows:
    """Each group is one video, with the same names in each: features (D,) or frames (T, D), perhaps labels.

    What the names of the groups do not share is the id: v1 and v2 of videos/v1/rgb and videos/v2/rgb.
    """

    ids_are = ""

    def __init__(self, file: ArrayFile, notes: tuple[str, ...]) -> None:
        self.path, self._file, self.notes = file.path, file, notes
        self._groups = list(
            dict.fromkeys(group for name in file.arrays if (group := name.rpartition("/")[0]))
        )
        self._own = _own_parts([group.split("/") for group in self._groups])
        columns: dict[str, TypedColumn] = {}
        frames = _has_frames(file.arrays.values())
        for name, found in file.arrays.items():
            group, _, leaf = name.rpartition("/")
            if leaf not in columns:
                kind = found.kind if group else "other"
                holds = f"{found}, in {group}" if group else str(found)
                columns[leaf] = TypedColumn(leaf, kind, _of_one(found, frames), holds)
        self.columns = tuple(columns.values())

    def count(self, names: Sequence[str]) -> int:
        return len(self._groups)

    def blocks(self, names: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        arrays = self._file.arrays
        with self._file.opened() as read:
            for group in self._groups:
                paths = {name: f"{group}/{name}" for name in names}
                yield {
                    name: [_value(read, path, arrays[path]) if path in arrays else None]
                    for name, path in paths.items()
                }

    def default_id(self, row: int) -> str:
        return "/".join(self._groups[row].split("/")[self._own])


def _own_parts(paths: Sequence[Sequence[str]]) -> slice:
    """The parts of all paths but those that they begin or end with alike; at least one is left."""
    shortest = min(map(len, paths)) - 1
    same = [len({path[at] for path in paths}) == 1 for at in range(shortest)]
    start = same.index(False) if False in same else shortest
    alike = [len({path[-1 - at] for path in paths}) == 1 for at in range(shortest - start)]
    stop = alike.index(False) if False in alike else len(alike)
    return slice(start, -stop or None)


def _of_one(kind: ArrayType, beside_frames: bool = False) -> tuple[int | None, ...]:
    """The shape of one video's value, where another video may have another number of frames.

    Beside frames, a single axis is not of one size either: times, scores, a list of labels.
    """
    if kind.shape == (1,) and kind.kind in ("integer", "text"):
        return ()
    if len(kind.shape) == 1:
        return (None,) if beside_frames else kind.shape
    return (None, *kind.shape[1:]) if kind.shape else ()


def _has_frames(arrays: Iterable[ArrayType]) -> bool:
    return any(len(kind.shape) == 2 and kind.kind in ("float", "byte") for kind in arrays)


def _value(read: ReadArray, name: str, kind: ArrayType) -> Any:
    """A whole array; one number or text as such."""
    found = read(name, 0, kind.shape[0] if kind.shape else 0)
    return found if _of_one(kind) else found.reshape(-1)[0]
