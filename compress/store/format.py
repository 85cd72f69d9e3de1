"""The file of a store: 4096 bytes that describe the rest, then HDF5.

    user block      one JSON line: format, schema_version, size and sha256 of the rest, its own CRC32C
    embeddings      (N, width) of the codec's type, contiguous
    ids             (N,) fixed-width UTF-8 bytes
    labels/indptr   int64 (N + 1,), compressed sparse rows; absent when unlabelled
    labels/indices  int32 (nnz,)
    codec/<name>    calibration arrays of the codec
    attributes      schema_version, codec, dim, num_classes (0 when unlabelled), splits and metadata (JSON)

HDF5 lays the file out in memory, with a hole where the embeddings go. Nothing in it depends on the time, the
machine or the embeddings, so the same inputs give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from crc32c import crc32c

from compress.codecs import Codec
from compress.errors import CorruptArtifactError, DataError, NewerVersionError
from compress.labels import Labels

USER_BLOCK_BYTES = 4096
SCHEMA_VERSION = 1
FORMAT = "compress-store"
# In the place of the user block, until the store is finished.
UNFINISHED = b"an unfinished store of compress; `compress encode` continues it\n"
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HINT = "encode it again, or restore it from a copy"


@dataclass(frozen=True)
class UserBlock:
    """The first 4096 bytes of a store, which HDF5 skips.

    The block carries its own CRC32C and is compared whole with what we would write, so a change of any bit is
    found. Every schema version keeps this form and the fields `format`, `schema_version` and `crc32c`, so
    that an old reader can recognise a newer version.

    Args:
        bytes: size of the whole file.
        sha256: of everything after the block (hex).
    """

    bytes: int
    sha256: str


def render_user_block(block: UserBlock, schema_version: int = SCHEMA_VERSION) -> bytes:
    """The 4096 bytes: one JSON line, then zeros."""
    fields = {"format": FORMAT, "schema_version": schema_version, "bytes": block.bytes}
    return _with_checksum({**fields, "sha256": block.sha256})


def is_unfinished(start: bytes) -> bool:
    """Whether the first 4096 + 8 bytes of a file (or all of a shorter one) are an unfinished store's."""
    block, after = start[:USER_BLOCK_BYTES], start[USER_BLOCK_BYTES:]
    # Killed while the mark was written, or before anything else; version 0.1 wrote no mark, only zeros.
    if UNFINISHED.startswith(start.rstrip(b"\0")):
        return True
    begun = not any(block) or block.startswith(UNFINISHED) or FORMAT.encode() in block
    return begun and after.startswith(_HDF5_SIGNATURE)


def parse_user_block(data: bytes, path: Path) -> UserBlock:
    """The block of a finished store.

    Args:
        data: the first 4096 + 8 bytes of the file, or fewer: HDF5's signature follows the block.
        path: for errors.

    Raises:
        DataError: not a store, an unfinished one, or one of a newer schema version.
        CorruptArtifactError: a store whose block was changed.
    """
    fields = _fields(data[:USER_BLOCK_BYTES])
    if fields is None or _with_checksum(fields) != data[:USER_BLOCK_BYTES]:
        raise _not_a_store(data, path)
    version = fields.get("schema_version")
    if type(version) is int and version > SCHEMA_VERSION:
        raise NewerVersionError(
            f"has schema version {version}, this compress reads up to {SCHEMA_VERSION}",
            where=path,
            hint="upgrade compress",
        )
    block = UserBlock(fields.get("bytes", 0), fields.get("sha256", ""))
    if render_user_block(block) != data[:USER_BLOCK_BYTES]:
        raise CorruptArtifactError("has a damaged first block", where=path, hint=_HINT)
    return block


def _with_checksum(fields: dict[str, Any]) -> bytes:
    fields = {name: value for name, value in fields.items() if name != "crc32c"}
    crc = f"{crc32c(json.dumps(fields).encode()):08x}"
    line = json.dumps({**fields, "crc32c": crc}).encode() + b"\n"
    return line.ljust(USER_BLOCK_BYTES, b"\0")


def _fields(data: bytes) -> dict[str, Any] | None:
    try:
        fields = json.loads(data[: data.index(b"\n")])
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) and fields.get("format") == FORMAT else None


def _not_a_store(data: bytes, path: Path) -> DataError:
    block, after = data[:USER_BLOCK_BYTES], data[USER_BLOCK_BYTES:]
    if after.startswith(_HDF5_SIGNATURE):
        if is_unfinished(data) and FORMAT.encode() not in block:
            return DataError(
                "is a store that was not finished", where=path, hint="run the command that encodes it again"
            )
        if block.startswith(b'{"') or FORMAT.encode() in block:
            return CorruptArtifactError("has a damaged first block", where=path, hint=_HINT)
    offsets = [0, *(512 << shift for shift in range(4))]
    if any(data[offset:].startswith(_HDF5_SIGNATURE) for offset in offsets):
        return DataError(
            "is an HDF5 file of another program, not a store of compress",
            where=path,
            hint="use it as input features, and encode it",
        )
    if FORMAT.encode() in block:
        return CorruptArtifactError("is a store that was cut off or overwritten", where=path, hint=_HINT)
    return DataError("is not an HDF5 file", where=path, hint="give a file that `encode` wrote")


# Version 1.8 of the format checksums its metadata and allows attributes above 64 KiB. All later HDF5 versions
# read it. (HDF5 2.0 marks also such a file while it is open for writing: see superblock.py.)
_LIBRARY_VERSION = ("v108", "v108")
# Arrays start at a multiple of this, so that a memory map of them is aligned for any type and for SIMD loads.
_ALIGNMENT = 64


@dataclass(frozen=True)
class Contents:
    """Everything in a store but the embeddings; see `open_writer`."""

    ids: np.ndarray
    labels: Labels | None
    codec: Codec
    splits: Mapping[str, tuple[int, int]]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """The layout of a file.

    Args:
        pieces: (offset, bytes) of everything but the user block and the embeddings.
        size: bytes of the whole file.
        embeddings_offset: of the first embedding, from the start of the file.
        embeddings_bytes: of all embeddings.
        identity: sha256 (hex) of all of the above; an unfinished file of the same identity can be continued.
    """

    pieces: tuple[tuple[int, bytes], ...]
    size: int
    embeddings_offset: int
    embeddings_bytes: int
    identity: str


def lay_out(contents: Contents) -> Layout:
    """Let HDF5 lay out the file of `contents`."""
    sparse = SparseFile()
    with h5py.File(
        sparse,
        "w",
        libver=_LIBRARY_VERSION,
        userblock_size=USER_BLOCK_BYTES,
        alignment_threshold=1,
        alignment_interval=_ALIGNMENT,
    ) as file:
        offset = _create_hole(file, (len(contents.ids), contents.codec.width), contents.codec.dtype)
        _write_small_datasets(file, contents)
        _write_attributes(file, contents)
    length = len(contents.ids) * contents.codec.bytes_per_video
    before, after = (USER_BLOCK_BYTES, offset), (offset + length, sparse.size)
    pieces = tuple((start, sparse.range(start, stop)) for start, stop in (before, after))
    return Layout(pieces, sparse.size, offset, length, _identity(pieces, sparse.size, offset))


def _create_hole(file: h5py.File, shape: tuple[int, int], dtype: np.dtype) -> int:
    # h5py's create_dataset allocates at the first write. "Early" allocation gives the offset now, and "never
    # fill" keeps HDF5 from writing zeros there.
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_layout(h5py.h5d.CONTIGUOUS)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    creation.set_obj_track_times(False)
    space = h5py.h5s.create_simple(shape)
    kind = h5py.h5t.py_create(dtype, logical=True)
    dataset = h5py.h5d.create(file.id, b"embeddings", kind, space, creation)
    return int(dataset.get_offset())  # Counted from the start of the file: HDF5 adds the user block itself.


def _write_small_datasets(file: h5py.File, contents: Contents) -> None:
    ids = contents.ids
    utf8 = h5py.string_dtype("utf-8", ids.dtype.itemsize)
    file.create_dataset("ids", data=ids.astype(utf8), dtype=utf8, track_times=False)
    if contents.labels is not None:
        _write(file, "labels/indptr", contents.labels.indptr, "<i8")
        _write(file, "labels/indices", contents.labels.indices, "<i4")
    for name, array in sorted(contents.codec.state().items()):
        _write(file, f"codec/{name}", array, array.dtype.newbyteorder("<"))


def _write(file: h5py.File, name: str, array: np.ndarray, dtype: np.dtype | str) -> None:
    file.create_dataset(name, data=array.astype(dtype), dtype=dtype, track_times=False)


def _write_attributes(file: h5py.File, contents: Contents) -> None:
    file.attrs["schema_version"] = np.int64(SCHEMA_VERSION)
    file.attrs["codec"] = contents.codec.name
    file.attrs["dim"] = np.int64(contents.codec.dim)
    file.attrs["num_classes"] = np.int64(0 if contents.labels is None else contents.labels.num_classes)
    # In the order given: train before validate, as the rows are.
    file.attrs["splits"] = json.dumps({name: list(rows) for name, rows in contents.splits.items()})
    file.attrs["metadata"] = json.dumps(contents.metadata, sort_keys=True, allow_nan=False)


def _identity(pieces: tuple[tuple[int, bytes], ...], size: int, offset: int) -> str:
    digest = hashlib.sha256(f"{size} {offset}".encode())
    for start, piece in pieces:
        digest.update(f" {start} {len(piece)} ".encode())
        digest.update(piece)
    return digest.hexdigest()


class SparseFile:
    """The part of Python's file interface that h5py's file-object driver calls."""

    def __init__(self) -> None:
        self._writes: list[tuple[int, bytes]] = []
        self._position = 0
        self.size = 0

    def range(self, start: int, stop: int) -> bytes:
        """The bytes [start, stop), zeros where nothing was written."""
        buffer = bytearray(stop - start)
        self.seek(start)
        self.readinto(memoryview(buffer))
        return bytes(buffer)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def truncate(self, size: int | None = None) -> int:
        self.size = self._position if size is None else size
        return self.size

    def flush(self) -> None:
        """Nothing to do: there is no disk."""

    def write(self, data: memoryview) -> int:
        piece = bytes(data)
        self._writes.append((self._position, piece))
        self._position += len(piece)
        self.size = max(self.size, self._position)
        return len(piece)

    def read(self, length: int = -1) -> bytes:
        stop = self.size if length < 0 else min(self.size, self._position + length)
        return self.range(self._position, max(self._position, stop))

    def readinto(self, buffer: memoryview) -> int:
        start, stop = self._position, self._position + len(buffer)
        found = bytearray(len(buffer))
        for offset, piece in self._writes:
            low, high = max(start, offset), min(stop, offset + len(piece))
            if low < high:
                found[low - start : high - start] = piece[low - offset : high - offset]
        buffer[:] = found
        self._position = stop
        return len(buffer)
