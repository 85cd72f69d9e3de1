"""The HDF5 file of a store, laid out by HDF5 in memory with a hole where the embeddings go.

    embeddings      (N, width) of the codec's type, contiguous: the hole
    ids             (N,) fixed-width UTF-8 bytes
    labels/indptr   int64 (N + 1,), compressed sparse rows; absent when unlabelled
    labels/indices  int32 (nnz,)
    codec/<name>    calibration arrays of the codec
    attributes      schema_version, codec, dim, num_classes (0 when unlabelled), splits and metadata (JSON)

Nothing in it depends on the time, the machine or the embeddings, so the same inputs give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.codecs.base import Codec
from compress.datasets.labels import Labels
from compress.store import user_block
from compress.store.hdf5 import h5py
from compress.store.sparse_file import SparseFile

# Version 1.8 of the format checksums its metadata and takes attributes above 64 KiB; any later HDF5 reads it,
# and unlike 1.10 it has no "open for write" flag that would outlive a crash.
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
    """Where everything goes.

    Args:
        pieces: (offset, bytes): what lies between the user block and the embeddings, and what follows them.
        size: bytes of the whole file.
        embeddings_offset: of the first embedding, from the start of the file.
        embeddings_bytes: of all embeddings.
        identity: sha256 (hex) of all of the above; equal identities can share an unfinished file.
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
        userblock_size=user_block.SIZE,
        alignment_threshold=1,
        alignment_interval=_ALIGNMENT,
    ) as file:
        offset = _create_hole(file, (len(contents.ids), contents.codec.width), contents.codec.dtype)
        _write_small_datasets(file, contents)
        _write_attributes(file, contents)
    length = len(contents.ids) * contents.codec.bytes_per_video
    before, after = (user_block.SIZE, offset), (offset + length, sparse.size)
    pieces = tuple((start, sparse.range(start, stop)) for start, stop in (before, after))
    return Layout(pieces, sparse.size, offset, length, _identity(pieces, sparse.size, offset))


def _create_hole(file: h5py.File, shape: tuple[int, int], dtype: np.dtype) -> int:
    # h5py's own create_dataset leaves allocation to the first write; only "early" gives the offset now, and
    # only "never fill" keeps HDF5 from writing zeros there.
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
    file.attrs["schema_version"] = np.int64(user_block.SCHEMA_VERSION)
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
