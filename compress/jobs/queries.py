"""What is searched for: videos of the store, or the rows of a file, which are embeddings or raw features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.artifacts.atomic import read_bytes
from compress.datasets.schema import NUM_CLASSES_HINT
from compress.datasets.source import Source, open_source
from compress.doors.npy import read_npy
from compress.errors import DataError, NotFoundError, SchemaError
from compress.index.rows import comparable
from compress.inspection import is_store
from compress.jobs.sources import read_for, run_schema
from compress.progress import check_interrupt
from compress.store.reader import Store, open_store
from compress.workspace import Workspace

AT_ONCE = 1024
_INTERRUPTED = "nothing was written; run the same command again"
_NPY = "a .npy file of numbers"


@dataclass(frozen=True)
class Queries:
    """Some queries: their names, embeddings float32 (q, dim), and own rows int64 (q,) of the store, or -1."""

    names: list[str]
    vectors: np.ndarray
    own: np.ndarray

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class Asked:
    """Where and by what the rows of a file become embeddings of `store`.

    Args:
        workspace: has the runs.
        store: that is searched.
        metric: of its index.
        raw: the rows are features, also where they have the size of an embedding.
        run: that encodes features; None for that of the store.
        device: to encode on.
        rows_of: embeddings float32 (n, dim) of rows int64 (n,) of the store, to ask with.
    """

    workspace: Workspace
    store: Store
    metric: str
    raw: bool
    run: str | None
    device: str
    rows_of: Callable[[np.ndarray], np.ndarray]

    def videos(self, rows: np.ndarray) -> np.ndarray:
        """Embeddings float32 (n, dim) of rows int64 (n,) of the store; RecordError: no cosine."""
        vectors = self.rows_of(rows)
        comparable(vectors, self.metric, lambda place: f"video {self.name(rows[place])} (row {rows[place]})")
        return vectors

    def name(self, row: int) -> str:
        """The id of a video of the store."""
        return str(self.store.id_bytes[row].decode("utf-8", "backslashreplace"))


def read_queries(asked: Asked, path: Path) -> Iterator[Queries]:
    """The queries of a file, in blocks: .npy, ids in a .txt, a store, or whatever `compress encode` reads.

    Raises:
        NotFoundError: no such file, or an id that is not in the store.
        SchemaError: rows that are neither embeddings of the store nor what its run reads.
        RecordError: a query holds NaN, or is all zeros (cosine).
        DataError: damaged, or empty.
    """
    suffix = path.suffix.lower()
    if suffix == ".txt":
        return _of_ids(asked, path)
    if suffix == ".npy":
        return _checked(asked, path, _of_array(asked, path))
    if path.is_file() and is_store(path):
        return _checked(asked, path, _of_store(asked, path))
    return _checked(asked, path, _of_source(asked, path))


def read_ids(path: Path) -> list[str]:
    """The ids in a text file, one a line; empty lines do not count.

    Raises:
        NotFoundError, StorageError: it cannot be read. DataError: it is not UTF-8, or holds no id.
    """
    try:
        lines = read_bytes(path).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DataError("not a text file of ids in UTF-8", where=path) from error
    ids = [line.rstrip("\r") for line in lines if line.strip()]
    if not ids:
        raise DataError("holds no ids", where=path, hint="write one id a line")
    return ids


def read_vector(path: Path) -> np.ndarray:
    """The one row of a .npy file, float32 (d,).

    Raises:
        NotFoundError: no such file. DataError: not a .npy file of numbers. SchemaError: not one row.
    """
    rows = _rows_of(path)
    if len(rows) > 1:
        raise SchemaError(f"holds {len(rows):,} rows, and one is searched for", where=path)
    return _as_float32(rows[0])


def _rows_of(path: Path) -> np.ndarray:
    """The array (n, d) in a .npy file, mapped."""
    array = read_npy(path, mapped=True, kind=_NPY)
    if array.dtype.kind not in "fiu":
        raise DataError(f"not {_NPY}", where=path)
    if array.ndim not in (1, 2) or array.size == 0:
        raise SchemaError(f"has the shape {array.shape}, not (dim,) or (queries, dim)", where=path)
    return np.atleast_2d(array)


def _of_ids(asked: Asked, path: Path) -> Iterator[Queries]:
    ids = read_ids(path)
    rows = np.array([asked.store.row_of(video_id) for video_id in ids], dtype=np.int64)
    for start in range(0, len(rows), AT_ONCE):
        check_interrupt(_INTERRUPTED)
        part = rows[start : start + AT_ONCE]
        yield Queries(ids[start : start + AT_ONCE], asked.videos(part), part)


def _of_array(asked: Asked, path: Path) -> Iterator[tuple[list[str], np.ndarray]]:
    rows = _rows_of(path)
    embed = _embedding(asked, rows.shape[1], path)
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        yield [str(row) for row in range(start, start + len(part))], embed(part)


def _of_store(asked: Asked, path: Path) -> Iterator[tuple[list[str], np.ndarray]]:
    given = open_store(path)
    embed = _embedding(asked, given.dim, path)
    for start in range(0, len(given), AT_ONCE):
        stop = min(start + AT_ONCE, len(given))
        yield given.ids[start:stop], embed(given.decode(start, stop))


def _of_source(asked: Asked, path: Path) -> Iterator[tuple[list[str], np.ndarray]]:
    source = _source(asked, path)
    if source.schema.level == "frame":
        raise SchemaError(
            "holds frames, and a query is one row of numbers",
            where=path,
            hint="ask with a store of them: `compress encode --input PATTERN --output new.h5`",
        )
    embed = _embedding(asked, source.schema.dim, path)
    for shard in source.shards:
        for block in source.read_blocks(shard, AT_ONCE):
            names = [name.decode("utf-8", "backslashreplace") for name in block.ids.tolist()]
            yield names, embed(block.rows)


def _source(asked: Asked, path: Path) -> Source:
    """The videos of a file: as embeddings where they have that size, otherwise as what the run reads."""
    said = asked.workspace.description
    try:
        source = open_source([str(path)], description=said)
    except SchemaError as error:
        if error.hint != NUM_CLASSES_HINT:
            raise
        source = open_source([str(path)], num_classes=asked.workspace.num_classes or 1, description=said)
    if source.schema.dim == asked.store.dim and not asked.raw:
        return source
    run = _run_of(asked)
    if run is None:
        return source  # and its size is refused
    with read_for(run):
        return open_source([str(path)], run=run_schema(asked.workspace, run), description=said)


def _checked(asked: Asked, path: Path, blocks: Iterator[tuple[list[str], np.ndarray]]) -> Iterator[Queries]:
    for names, vectors in blocks:
        check_interrupt(_INTERRUPTED)
        _refuse_odd(vectors, asked.metric, names, path)
        yield Queries(names, vectors, np.full(len(names), -1, np.int64))


def _refuse_odd(vectors: np.ndarray, metric: str, names: list[str], path: Path) -> None:
    comparable(vectors, metric, lambda place: f"{path}: query {names[place]}")


def _run_of(asked: Asked) -> str | None:
    return asked.run or str(asked.store.metadata.get("run", "")) or None


def _embedding(asked: Asked, width: int, path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """What makes embeddings, float32 (n, dim), of rows (n, width): nothing, or the run of the store."""
    store = asked.store
    if width == store.dim and not asked.raw:
        return _as_float32
    size = f"has rows of {width} numbers"
    size += "" if asked.raw else f", the embeddings of the store have {store.dim} dimensions"
    run = _run_of(asked)
    if run is None:
        raise SchemaError(size, where=path, hint="features are encoded with --run NAME")
    try:
        schema = run_schema(asked.workspace, run)
    except NotFoundError as error:
        raise SchemaError(
            f"{size}, and its run {run!r} is not here to encode features", where=path
        ) from error
    if schema.level == "frame" or schema.dim != width:
        reads = "frames" if schema.level == "frame" else f"{schema.dim} numbers"
        raise SchemaError(f"{size}, and its run {run} reads {reads}", where=path)
    return _encoder(asked, run)


def _encoder(asked: Asked, run: str) -> Callable[[np.ndarray], np.ndarray]:
    from compress.encoder import load  # not before: torch
    from compress.training.run import WEIGHTS, model_manifest

    folder, store = asked.workspace.run(run), asked.store
    made_by = store.metadata.get("model_sha256")
    if made_by is not None and model_manifest(folder).files[WEIGHTS].sha256 != made_by:
        raise SchemaError(
            f"is not the model that made {store.path}",
            where=folder,
            hint="encode the videos again, or name the run that the store is of",
        )
    encoder, precision = load(folder, device=asked.device), store.metadata.get("precision", "auto")
    return lambda rows: encoder.encode(rows, dim=store.dim, any_dim=True, precision=precision)


def _as_float32(rows: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # too large becomes infinite, which is refused
        return np.array(rows, np.float32)
