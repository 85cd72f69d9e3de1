"""Checks of the HDF5 structure before anything in it is used: plain arrays inside the file, nothing else.

HDF5 follows external links, external raw data and virtual datasets into other files of the machine, and loads
shared libraries for unknown filters (as in Keras, CVE-2026-1669). So links are checked before they are
followed, and HDF5 only parses metadata: arrays are read through a memory map at their offset, and attributes,
whose texts have no fixed length, by `compress.store.attributes`.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from compress.errors import CorruptArtifactError
from compress.store.attributes import read_attributes
from compress.store.format import SCHEMA_VERSION, USER_BLOCK_BYTES

_NUMBERS = ("schema_version", "dim", "num_classes")
_TEXTS = ("codec", "splits", "metadata")
_GROUPS = {"labels", "codec"}
_REQUIRED = {"embeddings", "ids"}
_LABELS = {"labels/indptr", "labels/indices"}
_HDF5_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError)


@dataclass(frozen=True)
class Place:
    """Where an array is in the file, in bytes from its start, and its type."""

    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype


@dataclass(frozen=True)
class Description:
    """The structure of an audited store; no array was read yet."""

    arrays: dict[str, Place]
    codec: str
    dim: int
    num_classes: int
    splits: dict[str, tuple[int, int]]
    metadata: dict[str, Any]


def audit(file: BinaryIO, path: Path) -> Description:
    """Read the structure of an open store, whose user block was checked.

    Raises:
        CorruptArtifactError: it holds anything that `open_writer` does not write.
    """
    size = os.fstat(file.fileno()).st_size
    try:
        with without_plugins(), h5py.File(file, "r") as hdf5:
            arrays = dict(_arrays(hdf5, size))
        attributes = _attributes(read_attributes(file.fileno(), path))
        _check_names(set(arrays))
        return _describe(arrays, attributes)
    except _Refused as refused:
        raise CorruptArtifactError(f"is not a store: {refused}", where=path) from None
    except _HDF5_ERRORS as error:
        raise CorruptArtifactError(f"its HDF5 structure cannot be read ({error})", where=path) from error


@contextmanager
def without_plugins() -> Iterator[None]:
    """Remove the folders in which HDF5 looks for plugins, and restore them afterwards.

    The package sets HDF5_PLUGIN_PRELOAD, but the process may have loaded HDF5 before.
    """
    plugins = h5py.h5pl
    folders = [plugins.get(position) for position in range(plugins.size())]
    for _ in folders:
        plugins.remove(0)
    try:
        yield
    finally:
        for folder in folders:
            plugins.append(folder)


class _Refused(Exception):
    pass


def _arrays(hdf5: h5py.File, size: int) -> Iterator[tuple[str, Place]]:
    for name in hdf5:
        if name not in _GROUPS:
            yield name, _place(hdf5, name, name, size)
            continue
        _require_hard_link(hdf5, name, name)
        group = hdf5[name]
        if not isinstance(group, h5py.Group):
            raise _Refused(f"{name} is not a group")
        for child in group:
            yield f"{name}/{child}", _place(group, child, f"{name}/{child}", size)


def _require_hard_link(group: h5py.Group, name: str, full_name: str) -> None:
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        raise _Refused(f"{full_name} is a link to somewhere else")


def _place(group: h5py.Group, name: str, full_name: str, size: int) -> Place:
    _require_hard_link(group, name, full_name)
    dataset = group[name]
    if not isinstance(dataset, h5py.Dataset):
        raise _Refused(f"{full_name} is not a dataset")
    # Creation properties first: asking for the shape of a virtual dataset makes HDF5 open other files.
    creation = dataset.id.get_create_plist()
    if creation.get_layout() != h5py.h5d.CONTIGUOUS or creation.get_external_count():
        raise _Refused(f"{full_name} is not one piece inside the file")
    if creation.get_nfilters():
        raise _Refused(f"{full_name} has filters")
    dtype = np.dtype(dataset.dtype)
    if dtype.kind not in "iufS" or dtype.hasobject or dtype.itemsize == 0:
        raise _Refused(f"{full_name} has type {dtype}")
    place = Place(dataset.id.get_offset() or 0, tuple(map(int, dataset.shape)), dtype)
    _check_inside(place, full_name, size)
    return place


def _check_inside(place: Place, full_name: str, size: int) -> None:
    length = math.prod(place.shape) * place.dtype.itemsize
    if length and not USER_BLOCK_BYTES <= place.offset <= size - length:
        raise _Refused(f"{full_name} claims {length:,} bytes at {place.offset:,}, the file has {size:,}")


def _attributes(found: dict[str, int | str]) -> dict[str, Any]:
    if set(found) != {*_NUMBERS, *_TEXTS}:
        raise _Refused(f"its attributes are {sorted(found)}, not {sorted([*_NUMBERS, *_TEXTS])}")
    for name, value in found.items():
        kind = str if name in _TEXTS else int
        if not isinstance(value, kind):
            raise _Refused(f"attribute {name} is not one {kind.__name__}")
    return dict(found)


def _check_names(names: set[str]) -> None:
    missing = _REQUIRED - names
    unknown = {name for name in names - _REQUIRED - _LABELS if not name.startswith("codec/")}
    if missing or unknown or len(names & _LABELS) == 1:
        raise _Refused(f"its datasets are {sorted(names)}")


def _describe(arrays: dict[str, Place], attributes: dict[str, Any]) -> Description:
    if attributes["schema_version"] != SCHEMA_VERSION:
        raise _Refused(f"attribute schema_version is {attributes['schema_version']}")
    splits, metadata = json.loads(attributes["splits"]), json.loads(attributes["metadata"])
    if not isinstance(splits, dict) or not isinstance(metadata, dict):
        raise _Refused("splits and metadata are not JSON objects")
    rows = {name: (int(start), int(stop)) for name, (start, stop) in splits.items()}
    return Description(
        arrays, attributes["codec"], attributes["dim"], attributes["num_classes"], rows, metadata
    )
