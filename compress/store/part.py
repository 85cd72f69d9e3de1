"""One file of a store: verified, audited and mapped into memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from compress.artifacts import disk
from compress.artifacts.hashed import Verify, matches
from compress.codecs.base import Codec
from compress.codecs.registry import restore_codec
from compress.datasets.labels import Labels
from compress.errors import CorruptArtifactError, DataError, NotFoundError
from compress.store import user_block
from compress.store.audit import Description, Place, audit
from compress.store.checks import check_labels, check_splits
from compress.store.partial import partial_path
from compress.store.writer import hash_after_user_block

_RERUN = "encode it again, or restore it from a copy"


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
    # One descriptor for everything: when a writer replaces the file meanwhile, we keep the one we checked.
    with disk.storage_errors(path), path.open("rb") as file:
        block = _check_user_block(file, path, verify)
        description = audit(file, path)
        try:
            return _map(file, path, description, block.sha256)
        except DataError as error:
            raise CorruptArtifactError(f"is not a store: {error}", where=path) from error


def _missing(path: Path) -> NotFoundError:
    if partial_path(path).exists():
        return NotFoundError(
            "no such store yet: its encoding has not finished",
            where=path,
            hint="run the same command again, it continues where it stopped",
        )
    return NotFoundError("no such store", where=path, hint="check the name, or encode it first")


def _check_user_block(file: BinaryIO, path: Path, verify: Verify) -> user_block.UserBlock:
    block = user_block.parse(file.read(user_block.SIZE + 8), path)
    facts = os.fstat(file.fileno())
    size = facts.st_size
    if size != block.bytes:
        sizes = f"has {size:,} bytes, {block.bytes:,} were written"
        raise CorruptArtifactError(sizes, where=path, hint=_RERUN)
    if not matches(verify, facts, block.sha256, lambda: hash_after_user_block(file.fileno())):
        raise CorruptArtifactError("does not match its sha256: it was changed", where=path, hint=_RERUN)
    return block


def _map(file: BinaryIO, path: Path, description: Description, sha256: str) -> Part:
    arrays = {name: _mapped(file, place) for name, place in description.arrays.items()}
    prefix = "codec/"
    state = {name[len(prefix) :]: np.array(a) for name, a in arrays.items() if name.startswith(prefix)}
    codec = restore_codec(description.codec, description.dim, state)
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
