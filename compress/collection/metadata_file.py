"""A file of metadata, joined to videos by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compress.collection.columns import as_table, need_arrow
from compress.doors.tables import read_table
from compress.errors import RecordError, SchemaError
from compress.progress import Note, Reporter

_ID_NAMES = ("video_id", "id", "videoid")
_SHOWN = 3


class MetadataFile:
    """A table with a row per video, joined by id.

    Args:
        path: the file.
        id_name: its column of ids; None for video_id or id, in any case.

    Raises:
        UnavailableError: pyarrow is not installed.
        NotFoundError, DataError: see `read_table`.
        SchemaError: no column of ids. RecordError: an id is there twice.
    """

    def __init__(self, path: Path, id_name: str | None) -> None:
        need_arrow()
        self._path = path
        table = read_table(path)
        name = _id_name(path, table.column_names, id_name)
        table = read_table(path, as_text=name)
        import pyarrow as pa

        texts = table.column(name).cast(pa.string()).to_pylist()
        if None in texts:
            raise RecordError(f"column {name} is empty", where=f"{path}: row {texts.index(None)}")
        ids = np.array([text.encode() for text in texts], dtype=np.bytes_)
        self._order = np.argsort(ids, kind="stable")
        self._ids = ids[self._order]
        twice = np.flatnonzero(self._ids[1:] == self._ids[:-1])
        if len(twice):
            first = self._ids[twice[0]].decode()
            raise RecordError(f"id {first!r} is there twice", where=path, hint="keep one row for each video")
        self._table = as_table(table.drop_columns([name]), len(ids))
        self._used = np.zeros(len(ids), dtype=bool)
        self._without: list[str] = []
        self.missing = 0

    @property
    def unused(self) -> int:
        """Rows that belong to no video so far."""
        return int((~self._used).sum())

    def rows_of(self, ids: np.ndarray) -> Any:
        """The columns of some videos, S (n,); null for those that are not in the file."""
        import pyarrow as pa

        if self._table is None or not len(self._ids):
            return None
        places = np.minimum(np.searchsorted(self._ids, ids), len(self._ids) - 1)
        there = self._ids[places] == ids
        self._used[places[there]] = True
        absent = ids[~there]
        self.missing += len(absent)
        self._without += [name.decode() for name in absent[: _SHOWN - len(self._without)].tolist()]
        return self._table.take(pa.array(self._order[places], mask=~there))

    def tell(self, report: Reporter) -> None:
        """Notes on what had no partner."""
        if self.missing:
            more = ", ..." if self.missing > len(self._without) else ""
            shown = ", ".join(self._without) + more
            report(Note(f"{self.missing:,} videos are not in {self._path.name}: no metadata for {shown}"))
        if self.unused:
            names = [name.decode() for name in self._ids[~self._used][:_SHOWN].tolist()]
            more = ", ..." if self.unused > len(names) else ""
            shown = ", ".join(names) + more
            report(Note(f"{self.unused:,} rows of {self._path.name} are of no video here: {shown}"))


def _id_name(path: Path, names: Sequence[str], wanted: str | None) -> str:
    found = [name for name in names if name.lower() in _ID_NAMES] if wanted is None else [wanted]
    if len(found) == 1 and found[0] in names:
        return found[0]
    listed = ", ".join(names[:20])
    what = "has no column of ids" if not found else f"has no column {found[0]}"
    if len(found) > 1:
        what = f"has several columns that may be the ids: {', '.join(found)}"
    raise SchemaError(what, where=path, hint=f"name it by --metadata-id; columns: {listed}")
