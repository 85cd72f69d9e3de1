"""`compress search`: from a question to the most similar videos, with the names of their labels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.artifacts.hashed import HashedFiles
from compress.datasets.vocabulary import Vocabulary, load_vocabulary
from compress.errors import DataError, NotFoundError, SchemaError, StorageError, UsageError
from compress.index import open_index
from compress.jobs.store_files import find_store_file
from compress.progress import Note, Reporter, silent
from compress.store.reader import Store, open_store
from compress.workspace import Workspace


@dataclass(frozen=True)
class SearchRequest:
    """What to search for: exactly one of video_id, row and vector.

    Args:
        dim, name: which store.
        video_id: a video of the store.
        row: a row of the store.
        vector: .npy file with an embedding, (dim,) or (n, dim) of which the first is taken.
        k: how many videos to find, >= 1.
        vocabulary: names of the classes; None means the workspace's.
        verify: hash store and index in full, also when that was done in the last 24 hours.
    """

    dim: int | None
    name: str | None
    video_id: str | None
    row: int | None
    vector: Path | None
    k: int
    vocabulary: Path | None
    verify: bool = False


@dataclass(frozen=True)
class Hit:
    """One similar video; `labels` are names where there is a vocabulary, else numbers."""

    row: int
    video_id: str
    score: float
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """`query` in words, and the most similar videos, best first."""

    query: str
    neighbours: tuple[Hit, ...]


def search_store(workspace: Workspace, request: SearchRequest, report: Reporter = silent) -> Answer:
    """Answer one question from the index beside a store.

    Both are mapped into memory, and hashed unless that was done in the last 24 hours and they have not
    changed since (see `compress.artifacts.hashed`).

    Raises:
        UsageError: not exactly one of video_id, row and vector.
        NotFoundError: no store, no index, no such video, row or file.
        SchemaError: the vector does not fit the store.
    """
    if sum(value is not None for value in (request.video_id, request.row, request.vector)) != 1:
        raise UsageError(
            "nothing, or too much, to search for", hint="give VIDEO_ID, --row N or --vector FILE.npy"
        )
    found = find_store_file(workspace, request.dim, request.name)
    if not found.index.is_dir():
        raise NotFoundError(
            "no index of this store",
            where=found.index,
            hint=f"`compress index --name {found.typed}` builds it",
        )
    hashed = HashedFiles(workspace.cache / "hashed.json", trust=not request.verify)
    try:
        store = open_store(found.path, verify=hashed)
        index = open_index(found.index, verify=hashed, store=store)
    finally:  # Also that one of them is damaged.
        _remember(hashed, report)
    names = _vocabulary(workspace, request)
    row, vector = _query(store, request)
    hits = tuple(
        Hit(hit.row, hit.video_id, hit.score, _labels(store, hit.row, names))
        for hit in index.neighbours(vector, request.k, exclude=row)
    )
    return Answer(_words(store, row, names, request.vector), hits)


def _remember(hashed: HashedFiles, report: Reporter) -> None:
    try:
        hashed.save()
    except StorageError as error:  # A workspace that is only read can be searched all the same.
        report(Note(f"{error}; the next search hashes store and index again"))


def _query(store: Store, request: SearchRequest) -> tuple[int | None, np.ndarray]:
    if request.vector is not None:
        return None, read_vector(request.vector, store.dim)
    if request.video_id is not None:
        row = store.row_of(request.video_id)
        return row, store.rows(np.array([row]))[0]
    row = request.row or 0
    if row >= len(store):
        raise NotFoundError(f"no row {row}", where=store.path, hint=f"the store has {len(store):,} videos")
    return row, store.rows(np.array([row]))[0]


def read_vector(path: Path, dim: int) -> np.ndarray:
    """The embedding in a .npy file, float32 (dim,).

    Raises:
        NotFoundError: no such file. DataError: not a .npy file of numbers. SchemaError: not `dim` numbers.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise NotFoundError("no such file", where=path) from error
    except (ValueError, EOFError) as error:
        raise DataError("not a .npy file of numbers", where=path) from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise DataError("not a .npy file of numbers", where=path)
    if array.ndim not in (1, 2) or array.size == 0 or array.shape[-1] != dim:
        raise SchemaError(f"has the shape {array.shape}, the store has {dim} numbers a video", where=path)
    return np.atleast_2d(array)[0].astype(np.float32)


def _vocabulary(workspace: Workspace, request: SearchRequest) -> Vocabulary | None:
    path = request.vocabulary or workspace.vocabulary
    return None if path is None else load_vocabulary(path)


def _labels(store: Store, row: int, names: Vocabulary | None) -> tuple[str, ...]:
    if store.labels is None:
        return ()
    classes = store.labels[row].tolist()
    # A vocabulary may name only some of the classes.
    return tuple(
        names.name(label) if names is not None and label in names else str(label) for label in classes
    )


def _words(store: Store, row: int | None, names: Vocabulary | None, vector: Path | None) -> str:
    if row is None:
        return f"most like {vector}"
    labels = ", ".join(_labels(store, row, names))
    video_id = store.ids[row].decode("utf-8", "backslashreplace")
    return f"most like {video_id} (row {row})" + (f": {labels}" if labels else "")
