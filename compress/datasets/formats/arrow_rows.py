"""The rows of an Arrow table in a file, read in batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from compress.datasets.formats.arrow_columns import class_names, column_values, typed_column
from compress.datasets.formats.columns import TypedColumn
from compress.datasets.formats.rows import BLOCK_BYTES, BLOCK_ROWS, made_up_id, partitions
from compress.doors.guard import guarded
from compress.errors import DataError

_FRAMES = 300


@dataclass(frozen=True)
class ArrowFile:
    """An opened file.

    Args:
        schema: pyarrow's.
        rows: how many.
        batches: (names, rows of a batch) -> record batches of these columns, none with more rows.
    """

    schema: Any
    rows: int
    batches: Callable[[Sequence[str], int], Iterator[Any]]


class ArrowRows:
    """The rows of a file. Of its folders, `label=dog` is a column too.

    Args:
        path: the file.
        opened: opens it.
    """

    notes: tuple[str, ...] = ()
    ids_are = "folder, name of the file and row"

    def __init__(self, path: Path, opened: Callable[[], AbstractContextManager[ArrowFile]]) -> None:
        self.path, self._opened, self._partitions = path, opened, partitions(path)
        with opened() as file:
            self._rows = file.rows
            with guarded(path, "a sound file of Arrow or Parquet"):
                names = class_names(file.schema.metadata)
                fields = [(field.name, field.type) for field in file.schema]
            found = [typed_column(name, kind, names.get(name, ())) for name, kind in fields]
            inside = [self._sized(file, column) for column in found if column.name not in self._partitions]
        folders = [TypedColumn(name, "text", (), "the name of the folder") for name in self._partitions]
        self.columns = (*inside, *folders)

    def count(self, names: Sequence[str]) -> int:
        if not self._rows:
            raise DataError("has no rows", where=self.path)
        return self._rows

    def blocks(self, names: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        inside = [name for name in names if name not in self._partitions]
        outside = {name: self._partitions[name] for name in names if name in self._partitions}
        with self._opened() as file:
            if not inside:
                yield {name: [value] * file.rows for name, value in outside.items()}
                return
            for batch in file.batches(inside, self._rows_at_once(inside)):
                with guarded(self.path, "a sound file of Arrow or Parquet"):
                    values = {name: column_values(self.path, batch.column(name)) for name in inside}
                yield values | {name: [value] * len(batch) for name, value in outside.items()}

    def _rows_at_once(self, names: Sequence[str]) -> int:
        numbers = 1
        for column in self.columns:
            if column.name in names:
                # A number of frames that the type does not tell counts as that of a long video.
                unknown = _FRAMES if len(column.shape) > 1 else 1
                numbers += math.prod(size or unknown for size in column.shape)
        return max(1, min(BLOCK_ROWS, BLOCK_BYTES // (8 * numbers)))

    def default_id(self, row: int) -> str:
        return made_up_id(self.path, row)

    def _sized(self, file: ArrowFile, column: TypedColumn) -> TypedColumn:
        """A column of features with the size that its first rows have."""
        if column.kind not in ("float", "byte") or not column.shape or column.shape[-1] is not None:
            return column
        for batch in file.batches([column.name], 16):
            with guarded(self.path, "a sound file of Arrow or Parquet"):
                values = column_values(self.path, batch.column(column.name))
            for value in values:
                if value is not None and len(value):
                    return replace(column, shape=(*column.shape[:-1], np.asarray(value).shape[-1]))
        return column
