"""A segment: a store whose rows are in the order of their ids, with what a search needs beside it.

Its files never change. Only the list of its deleted rows is written anew, when more go.

    s000001.h5               a store: codes, ids, labels (compress.store)
    s000001-lengths.npy      float32 (n,): norms of the decoded rows, for cosine
    s000001-columns.parquet  metadata, a row per video; absent without any
    s000001-gone.npy         int64: deleted rows, ascending; absent without any
"""

from __future__ import annotations

import difflib
import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.artifacts.folder import Content
from compress.artifacts.manifest import Manifest
from compress.artifacts.npy import npy_array
from compress.codecs import Codec
from compress.collection.columns import id_column
from compress.collection.rows import Rows
from compress.doors.npy import read_npy
from compress.doors.tables import read_parquet
from compress.errors import CorruptArtifactError
from compress.index.codes import CodesIndex
from compress.labels import Labels
from compress.store.mapping import open_part
from compress.store.writer import open_writer

if TYPE_CHECKING:
    import pyarrow as pa

STORE, LENGTHS, COLUMNS, GONE = "{}.h5", "{}-lengths.npy", "{}-columns.parquet", "{}-gone.npy"
RESTORE = "restore the folder from a copy"
_NEAR = 200


@dataclass(frozen=True, eq=False)
class Segment:
    """An open segment; its files may be removed while it is in use.

    Args:
        name: "s000001", the first part of the names of its files.
        ids: S (n,), ascending.
        index: its codes and their lengths.
        labels: of the n videos, or None.
        gone: int64, deleted rows, ascending.
        parquet: the file of the metadata, mapped, and its path; None without any.
    """

    name: str
    ids: np.ndarray
    index: CodesIndex
    labels: Labels | None
    gone: np.ndarray
    parquet: tuple[Any, Path] | None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def codes(self) -> np.ndarray:
        return self.index.codes

    @property
    def lengths(self) -> np.ndarray | None:
        return self.index.lengths

    @property
    def living(self) -> int:
        """Videos that are not deleted."""
        return len(self) - len(self.gone)

    @cached_property
    def alive(self) -> np.ndarray | None:
        """Bool (n,), False for deleted rows; None where there are none."""
        if not len(self.gone):
            return None
        mask = np.ones(len(self), dtype=bool)
        mask[self.gone] = False
        return mask

    @cached_property
    def table(self) -> pa.Table | None:
        """The metadata of the n videos, or None."""
        if self.parquet is None:
            return None
        data, path = self.parquet
        table = read_parquet(data, path, error=CorruptArtifactError, hint=RESTORE)
        if table.num_rows != len(self):
            what = f"has {table.num_rows:,} rows for {len(self):,} videos"
            raise CorruptArtifactError(what, where=path, hint=RESTORE)
        return table

    @cached_property
    def id_column(self) -> pa.Array:
        """The ids as text, for filters."""
        return id_column(self.ids)

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """The row of each id, S (m,), int64 (m,); -1 for one that is not here, or deleted."""
        rows = np.full(len(ids), -1, np.int64)
        lengths = np.char.str_len(ids)
        # An id that is longer than all here would make numpy widen, and so copy, all of them.
        fit = np.flatnonzero(lengths <= self.ids.dtype.itemsize)
        asked = ids[fit].astype(self.ids.dtype)
        places = np.minimum(np.searchsorted(self.ids, asked), len(self) - 1)
        found = self.ids[places] == asked
        if self.alive is not None:
            found &= self.alive[places]
        rows[fit[found]] = places[found]
        return rows

    def near(self, video_id: bytes) -> list[str]:
        """Up to three ids of living videos that look like one that is not here."""
        at = int(np.searchsorted(self.ids, np.bytes_(video_id[: self.ids.dtype.itemsize])))
        rows = np.arange(max(0, at - _NEAR), min(len(self), at + _NEAR))
        if self.alive is not None:
            rows = rows[self.alive[rows]]
        names = [name.decode(errors="replace") for name in self.ids[rows].tolist()]
        return difflib.get_close_matches(video_id.decode(errors="replace"), names, n=3)

    def without(self, rows: np.ndarray) -> Segment:
        """The same segment with more of its rows deleted, int64."""
        return replace(self, gone=np.union1d(self.gone, rows).astype(np.int64))


def files_of(manifest: Manifest, name: str) -> Iterator[str]:
    """The files of a segment that a commit has, as it calls them."""
    return (each for form in (STORE, LENGTHS, COLUMNS, GONE) if (each := form.format(name)) in manifest.files)


def open_segment(manifest: Manifest, name: str, codec: Codec, metric: str) -> Segment:
    """Map the files of a segment, whose checksums were looked at.

    Raises:
        CorruptArtifactError: they do not belong together.
    """
    path = manifest.path(STORE.format(name))
    part = open_part(path, verify=False)
    if (part.codec.name, part.codec.dim) != (codec.name, codec.dim) or not _ascending(part.ids):
        raise CorruptArtifactError("is no segment of this collection", where=path, hint=RESTORE)
    lengths = None
    if metric == "cosine":
        lengths = _array(manifest, LENGTHS.format(name))
        if lengths.dtype != np.float32 or lengths.shape != part.ids.shape or not (lengths > 0).all():
            where = manifest.path(LENGTHS.format(name))
            raise CorruptArtifactError("are no norms of its videos", where=where, hint=RESTORE)
    gone = np.empty(0, np.int64)
    if GONE.format(name) in manifest.files:
        gone = _array(manifest, GONE.format(name))
        inside = gone.ndim == 1 and gone.dtype == np.int64 and len(gone) and gone[0] >= 0
        if not inside or gone[-1] >= len(part.ids) or not (gone[1:] > gone[:-1]).all():
            where = manifest.path(GONE.format(name))
            raise CorruptArtifactError("are no rows of its segment", where=where, hint=RESTORE)
    parquet = None
    if COLUMNS.format(name) in manifest.files:
        columns = manifest.path(COLUMNS.format(name))
        with columns.open("rb") as file:
            parquet = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), columns
    return Segment(name, part.ids, CodesIndex(codec, part.codes, lengths), part.labels, gone, parquet)


def segment_files(name: str, rows: Rows, codec: Codec, parquet: bytes | None) -> dict[str, Content]:
    """The files of a new segment, for a commit."""

    def store(path: Path) -> None:
        with open_writer(
            path, ids=rows.ids, labels=rows.labels, codec=codec, splits={}, metadata={}
        ) as writer:
            for codes in rows.code_blocks():
                writer.copy(codes)
            writer.finish()

    files: dict[str, Content] = {STORE.format(name): store}
    if rows.lengths is not None:
        files[LENGTHS.format(name)] = npy_array(rows.lengths)
    if parquet is not None:
        files[COLUMNS.format(name)] = parquet
    return files


def gone_file(segment: Segment) -> dict[str, Content]:
    """The file of the deleted rows of a segment that has some."""
    return {GONE.format(segment.name): npy_array(segment.gone)}


def _array(manifest: Manifest, name: str) -> np.ndarray:
    if name not in manifest.files:
        raise CorruptArtifactError(f"has no {name}", where=manifest.folder, hint=RESTORE)
    return read_npy(manifest.path(name), error=CorruptArtifactError, hint=RESTORE)


def _ascending(ids: np.ndarray) -> bool:
    return bool((ids[1:] > ids[:-1]).all())
