"""Tables on the disk: npy files in an artifact folder named by the contents and schema of the shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from compress.artifacts.folder import Content, commit_folder, load_folder
from compress.artifacts.manifest import Manifest
from compress.artifacts.npy import npy_array
from compress.datasets.catalogue import Catalogue
from compress.datasets.source import Source
from compress.doors.npy import read_npy
from compress.errors import CorruptArtifactError, NewerVersionError, NotFoundError
from compress.labels import Labels
from compress.progress import Note, Reporter

KIND = "table"
_ROWS = "rows.npy"
# Increase it whenever the same shards give other arrays than before: old copies are then no longer used.
_READER_VERSION = 1


def cache_folder(cache: Path, source: Source) -> Path:
    """The folder of this source's copy, whether it exists yet or not."""
    return cache / f"table-{hashlib.sha256(json.dumps(_key(source)).encode()).hexdigest()[:16]}"


def read_cache(folder: Path, source: Source, report: Reporter) -> tuple[Catalogue, np.ndarray, int] | None:
    """What is kept in `folder`; None when it is missing or damaged.

    Returns:
        The catalogue, the memory-mapped rows, and how many videos without labels were left out.
    """
    try:
        return load_folder(folder, KIND, lambda manifest: _kept(manifest, source))
    except NotFoundError:
        return None
    except (CorruptArtifactError, NewerVersionError) as error:
        report(Note(f"the copy of the data cannot be used and will be made again ({error.what})", once=True))
        return None


def write_cache(
    folder: Path, source: Source, catalogue: Catalogue, rows: Callable[[Path], None]
) -> np.ndarray:
    """Write a catalogue and its rows; returns the rows memory-mapped."""
    arrays = {"ids.npy": catalogue.ids, "rows_per_shard.npy": catalogue.rows_per_shard}
    if catalogue.labels is not None:
        arrays |= {"indptr.npy": catalogue.labels.indptr, "indices.npy": catalogue.labels.indices}
    if catalogue.num_frames is not None:
        arrays["num_frames.npy"] = catalogue.num_frames
    files: dict[str, Content] = {name: npy_array(array) for name, array in arrays.items()}
    metadata = {"key": _key(source), "arrays": sorted(arrays), "unlabelled": source.unlabelled}
    return _map(commit_folder(folder, KIND, files | {_ROWS: rows}, metadata))


def _kept(manifest: Manifest, source: Source) -> tuple[Catalogue, np.ndarray, int]:
    if manifest.metadata.get("key") != _key(source):
        raise CorruptArtifactError("holds other data than its name says", where=manifest.folder)
    unlabelled = int(manifest.metadata.get("unlabelled", 0))
    return _catalogue(manifest, source.schema.num_classes), _map(manifest), unlabelled


def _key(source: Source) -> dict[str, object]:
    key = {
        "fingerprint": source.fingerprint(),
        "schema": source.schema.to_json(),
        "require_labels": source.require_labels,
        "reader": _READER_VERSION,
    }
    said = source.description.said()
    return {**key, "description": json.loads(json.dumps(said))} if said else key


def _map(manifest: Manifest) -> np.ndarray:
    rows: np.ndarray = read_npy(manifest.path(_ROWS), mapped=True, error=CorruptArtifactError)
    return rows


def _catalogue(manifest: Manifest, num_classes: int) -> Catalogue:
    names = manifest.metadata["arrays"]
    arrays = {name: read_npy(manifest.path(name), error=CorruptArtifactError) for name in names}
    labels = None
    if "indptr.npy" in arrays:
        labels = Labels(arrays["indptr.npy"], arrays["indices.npy"], num_classes)
    return Catalogue(arrays["ids.npy"], labels, arrays["rows_per_shard.npy"], arrays.get("num_frames.npy"))
