"""Finished files mapped into memory: one verified and audited, the rows of several read as one."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from compress.artifacts import disk
from compress.artifacts.hashed import Verify, matches
from compress.artifacts.lock import exclusive, lock_path
from compress.codecs import Codec
from compress.errors import (
    CompressError,
    CorruptArtifactError,
    DataError,
    LockedError,
    NotFoundError,
    StorageError,
)
from compress.labels import Labels, row_numbers
from compress.store.audit import Description, Place, audit
from compress.store.format import USER_BLOCK_BYTES, UserBlock, parse_user_block
from compress.store.journal import partial_path
from compress.store.superblock import why_changed
from compress.store.writer import check_labels, check_splits, hash_after_user_block

# Below this many bytes, the call costs more than it saves.
WORTH_BYTES = 2**20
# Arrays up to this size stay mapped: a second pass over them is twice as fast.
KEEP_BYTES = 2**26


def forget(array: np.ndarray, start: int, stop: int) -> None:
    """Release the pages of the rows [start, stop) of a mapped array; does nothing for an array in memory.

    They stay in the system's page cache, where the next access finds them, but no longer count as memory of
    the process.
    """
    mapped = getattr(array, "_mmap", None)
    if mapped is None or not isinstance(array, np.memmap) or not hasattr(mmap, "MADV_DONTNEED"):
        return
    if array.nbytes <= KEEP_BYTES:
        return
    row_bytes = array.strides[0]
    # The map starts at the last allocation boundary before the array's own offset in the file.
    first = array.offset % mmap.ALLOCATIONGRANULARITY
    low = -(-(first + start * row_bytes) // mmap.PAGESIZE) * mmap.PAGESIZE
    high = (first + stop * row_bytes) // mmap.PAGESIZE * mmap.PAGESIZE
    if low < high:
        mapped.madvise(mmap.MADV_DONTNEED, low, high - low)


@dataclass(frozen=True)
class Part:
    """What one store file holds; arrays are memory maps, read when they are used.

    Args:
        ids: S (N,).
        codes: memmap of the codec's type, (N, width).
        labels: of the N videos, or None.
        splits: rows [start, stop) by name.
        sha256: of everything after the user block (hex).
    """

    path: Path
    ids: np.ndarray
    codes: np.ndarray
    labels: Labels | None
    codec: Codec
    splits: Mapping[str, tuple[int, int]]
    metadata: Mapping[str, Any]
    sha256: str


def open_part(path: Path, verify: Verify) -> Part:
    """Open one store file; see `open_store`."""
    if not path.exists():
        raise _missing(path)
    if path.is_dir():
        raise DataError("is a folder, not a store", where=path)
    # One descriptor for everything: if a writer replaces the file meanwhile, we keep the one that we checked.
    with disk.reading(path, "no such store"), path.open("rb") as file:
        block = _check_user_block(file, path, verify)
        description = audit(file, path)
        try:
            return _map(file, path, description, block.sha256)
        except DataError as error:
            raise CorruptArtifactError(f"is not a store: {error}", where=path) from error


def _missing(path: Path) -> CompressError:
    if partial_path(path).exists():
        if lock_path(path).exists():
            try:
                with exclusive(path):
                    pass
            except LockedError as error:
                return error
            except StorageError:  # a folder that cannot be written: nobody writes there
                pass
        return NotFoundError(
            "no such store yet: its encoding has not finished",
            where=path,
            hint="run the same command again, it continues where it stopped",
        )
    return NotFoundError("no such store", where=path, hint="check the name, or encode it first")


def _check_user_block(file: BinaryIO, path: Path, verify: Verify) -> UserBlock:
    block = parse_user_block(file.read(USER_BLOCK_BYTES + 8), path)
    facts = os.fstat(file.fileno())
    whole = facts.st_size == block.bytes
    if not whole or not matches(verify, facts, block.sha256, lambda: hash_after_user_block(file.fileno())):
        raise why_changed(file, path, block)
    return block


def _map(file: BinaryIO, path: Path, description: Description, sha256: str) -> Part:
    arrays = {name: _mapped(file, place) for name, place in description.arrays.items()}
    prefix = "codec/"
    state = {name[len(prefix) :]: np.array(a) for name, a in arrays.items() if name.startswith(prefix)}
    codec = Codec.restore(description.codec, description.dim, state)
    ids, codes = arrays["ids"], arrays["embeddings"]
    if ids.ndim != 1 or len(ids) == 0 or ids.dtype.kind != "S":
        raise DataError(f"ids are {ids.dtype} {ids.shape}")
    if codes.shape != (len(ids), codec.width) or codes.dtype != codec.dtype:
        raise DataError(
            f"embeddings are {codes.dtype} {codes.shape}, {codec.name} of {len(ids)} videos are not"
        )
    check_splits(description.splits, len(ids))
    labels = _labels(arrays, description.num_classes)
    return Part(path, ids, codes, labels, codec, description.splits, description.metadata, sha256)


def _mapped(file: BinaryIO, place: Place) -> np.ndarray:
    if 0 in place.shape:
        return np.zeros(place.shape, dtype=place.dtype)
    return np.memmap(file, mode="r", dtype=place.dtype, offset=place.offset, shape=place.shape)


def _labels(arrays: dict[str, np.ndarray], num_classes: int) -> Labels | None:
    if "labels/indptr" not in arrays:
        return None
    indptr, indices = arrays["labels/indptr"], arrays["labels/indices"]
    if (indptr.ndim, indptr.dtype.str, indices.ndim, indices.dtype.str) != (1, "<i8", 1, "<i4"):
        raise DataError(f"labels are {indptr.dtype} {indptr.shape} and {indices.dtype} {indices.shape}")
    labels = Labels(np.asarray(indptr), np.asarray(indices), num_classes)
    check_labels(labels, len(arrays["ids"]))
    return labels


class ConcatenatedRows:
    """A read-only view of arrays (N_i, width) of one dtype, one after the other.

    It is indexed by a row, a slice, row numbers or a mask.
    """

    def __init__(self, parts: Sequence[np.ndarray]) -> None:
        self._parts = tuple(parts)
        self._starts = np.cumsum([0, *map(len, self._parts)])
        self.dtype, self.ndim = self._parts[0].dtype, 2

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), int(self._parts[0].shape[1])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            if step == 1:
                return self._range(start, stop)
            return self._pick(np.arange(start, stop, step))
        picked = np.asarray(rows)
        if picked.dtype == bool:
            picked = row_numbers(picked, len(self))
        return self._pick(picked.ravel()).reshape(*picked.shape, self.shape[1])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def _range(self, start: int, stop: int) -> np.ndarray:
        bounds = zip(self._starts[:-1], self._parts, strict=True)
        pieces = [part[max(start - first, 0) : max(stop - first, 0)] for first, part in bounds]
        pieces = [piece for piece in pieces if len(piece)]
        return pieces[0] if len(pieces) == 1 else np.concatenate([*pieces, self._parts[0][:0]])

    def _pick(self, rows: np.ndarray) -> np.ndarray:
        rows = np.where(rows < 0, rows + len(self), rows)
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(self)):
            raise IndexError(f"a row is outside [0, {len(self)})")
        picked = np.empty((len(rows), self.shape[1]), dtype=self.dtype)
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        for owner, part in enumerate(self._parts):
            mine = owners == owner
            picked[mine] = part[rows[mine] - self._starts[owner]]
        return picked
