"""The videos of a file as rows with columns, whatever the format."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote

from compress.datasets.formats.columns import TypedColumn

BLOCK_ROWS = 1024
BLOCK_BYTES = 8 << 20
_COUNTER_DIGITS = 6
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


class Rows(Protocol):
    """The videos of a file, each with a value in every column."""

    @property
    def path(self) -> Path: ...

    @property
    def columns(self) -> Sequence[TypedColumn]: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Whole sentences about what was assumed about the file."""
        ...

    def count(self, names: Sequence[str]) -> int:
        """How many videos there are; SchemaError when these columns differ in that."""
        ...

    def blocks(self, names: Sequence[str]) -> Iterator[Mapping[str, Sequence[Any]]]:
        """The values of some columns, block by block, in bounded memory.

        A column is an array whose first axis are the videos, or a list with a value for each; None where a
        video has none.
        """
        ...

    def default_id(self, row: int) -> str:
        """The id of a row where no column holds it."""
        ...

    @property
    def ids_are(self) -> str:
        """What the default ids are made of, for the sentence that says so; empty: they are the file's."""
        ...


def made_up_id(path: Path, row: int) -> str:
    """An id for a row that has none; the folder tells train/features.h5 from validate/features.h5."""
    return f"{folder_name(path)}/{path.stem}-{row}"


def folder_name(path: Path) -> str:
    """The name of the folder that a file is in, however its path is written."""
    return Path(os.path.abspath(path)).parent.name


def file_id(path: Path, with_folder: bool) -> str:
    """The id of a file that is one video: its name; with the folder if asked for, or if it is a counter."""
    # Numbers are counted anew in each folder.
    is_counter = path.stem.isdecimal() and len(path.stem) <= _COUNTER_DIGITS
    return f"{folder_name(path)}/{path.stem}" if is_counter or with_folder else path.stem


def partitions(path: Path) -> dict[str, str | None]:
    """What the folders of a file say about it: {"label": "dog"} of .../label=dog/part-0.parquet."""
    found: dict[str, str | None] = {}
    for folder in Path(os.path.abspath(path)).parts[:-1]:
        name, equals, value = folder.partition("=")
        if equals and name.isidentifier():
            found[name] = None if value == _NO_VALUE else unquote(value)
    return found
