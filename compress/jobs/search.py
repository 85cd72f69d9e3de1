"""`compress search`: from a question to the most similar videos, with the names of their labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from compress.artifacts.hashed import HashedFiles
from compress.artifacts.manifest import MANIFEST
from compress.artifacts.one_state import files_state, one_state
from compress.datasets.vocabulary import Vocabulary
from compress.doors.npy import read_npy
from compress.errors import DataError, NotFoundError, RecordError, SchemaError, StorageError, UsageError
from compress.index import Index, open_index
from compress.jobs.classes import vocabulary_of_store
from compress.jobs.names import StoreFile, find_store
from compress.progress import Note, Reporter, silent
from compress.store.reader import Store, open_store
from compress.workspace import Workspace


@dataclass(frozen=True)
class Hit:
    """One similar video; `labels` are names if there is a vocabulary, otherwise numbers."""

    row: int
    video_id: str
    score: float
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What was searched for, as a sentence, and the most similar videos, best first."""

    query: str
    neighbours: tuple[Hit, ...]


def search_store(
    workspace: Workspace,
    *,
    dim: int | None = None,
    name: str | None = None,
    video_id: str | None = None,
    row: int | None = None,
    vector: Path | None = None,
    k: int = 10,
    vocabulary: Path | None = None,
    verify: bool = False,
    report: Reporter = silent,
) -> Answer:
    """Find the videos most similar to one, given by exactly one of video_id, row and vector.

    Store and index are mapped into memory, and hashed unless that was done in the last 24 hours and they have
    not changed since (see `compress.artifacts.hashed`).

    Args:
        workspace: has the store, unless `name` is a path.
        dim, name: which store.
        video_id: a video of the store.
        row: a row of the store.
        vector: .npy file with an embedding, (dim,) or (n, dim) of which the first is taken.
        k: how many videos to find, >= 1.
        vocabulary: names of the classes; None means those of the store or the workspace.
        verify: hash store and index in full now.
        report: gets notes.

    Raises:
        UsageError: not exactly one of video_id, row and vector.
        NotFoundError: no store, no index, no such video, row or file.
        SchemaError: the vector does not fit the store.
    """
    if sum(value is not None for value in (video_id, row, vector)) != 1:
        raise UsageError(
            "exactly one thing to search for is needed", hint="give VIDEO_ID, --row N or --vector FILE.npy"
        )
    found = find_store(workspace, dim, name)
    if not found.index.is_dir():
        raise NotFoundError(
            "no index of this store",
            where=found.index,
            hint=f"`compress index --name {found.typed}` builds it",
        )
    hashed = HashedFiles(workspace.cache / "hashed.json", trust=not verify)
    try:
        store, index = one_state(
            lambda: files_state([found.path, found.index / MANIFEST]), partial(_opened, found, hashed)
        )
    finally:  # Also when one of them is damaged.
        remember(hashed, report)
    names = vocabulary_of_store(workspace, store, vocabulary, report)
    if vector is not None:
        query = read_vector(vector, store.dim)
    else:
        row = store.row_of(video_id) if video_id is not None else row or 0
        if row >= len(store):
            hint = f"the store has {len(store):,} videos"
            raise NotFoundError(f"no row {row}", where=store.path, hint=hint)
        query = store.rows(np.array([row]))[0]
        if index.facts.metric == "cosine" and not query.any():
            name = store.id_bytes[row].decode("utf-8", "backslashreplace")
            raise RecordError(
                "is all zeros and so has no cosine",
                where=f"video {name} (row {row})",
                hint="search for another video",
            )
    hits = tuple(
        Hit(hit.row, hit.video_id, hit.score, _labels(store, hit.row, names))
        for hit in index.search(query, k, exclude=row)[0]
    )
    return Answer(_question(store, row, names, vector), hits)


def _opened(found: StoreFile, hashed: HashedFiles) -> tuple[Store, Index]:
    store = open_store(found.path, verify=hashed)
    return store, open_index(found.index, verify=hashed, store=store)


def remember(hashed: HashedFiles, report: Reporter) -> None:
    """Keep which files were hashed; a note where the disk refuses."""
    try:
        hashed.save()
    except StorageError as error:  # A read-only workspace can be searched all the same.
        report(Note(f"{error}; the next search hashes store and index again"))


def read_vector(path: Path, dim: int | None = None) -> np.ndarray:
    """The embedding in a .npy file, float32 (dim,); `dim` None takes any size.

    Raises:
        NotFoundError: no such file. DataError: not a .npy file of numbers. SchemaError: not of size `dim`.
    """
    array = read_npy(path, kind="a .npy file of numbers")
    if array.dtype.kind not in "fiu":
        raise DataError("not a .npy file of numbers", where=path)
    if array.ndim not in (1, 2) or array.size == 0 or (dim is not None and array.shape[-1] != dim):
        wanted = (
            "one vector is needed" if dim is None else f"the embeddings of the store have {dim} dimensions"
        )
        raise SchemaError(f"has the shape {array.shape}, {wanted}", where=path)
    return np.atleast_2d(array)[0].astype(np.float32)


def _labels(store: Store, row: int, names: Vocabulary) -> tuple[str, ...]:
    return () if store.labels is None else tuple(map(names.shown, store.labels[row].tolist()))


def _question(store: Store, row: int | None, names: Vocabulary, vector: Path | None) -> str:
    if row is None:
        return f"most like {vector}"
    labels = ", ".join(_labels(store, row, names))
    video_id = store.id_bytes[row].decode("utf-8", "backslashreplace")
    return f"most like {video_id} (row {row})" + (f": {labels}" if labels else "")
