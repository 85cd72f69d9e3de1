"""`compress collection`: make one, change it, look at it, search it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import read_bytes
from compress.artifacts.hashed import HashedFiles
from compress.collection import Collection, Compacted, Deleted, Match, Stats
from compress.collection.metadata_file import MetadataFile
from compress.datasets.policy import OnCorrupt
from compress.errors import DataError, UsageError
from compress.jobs.classes import vocabulary_of
from compress.jobs.collection_input import blocks_of
from compress.jobs.queries import read_vector
from compress.jobs.searchable import remember
from compress.progress import Reporter, silent
from compress.workspace import Workspace


@dataclass(frozen=True)
class Created:
    """An empty collection: its folder, encoder (None: finished embeddings), codec and metric."""

    folder: Path
    encoder: str | None
    codec: str
    metric: str


@dataclass(frozen=True)
class AddedVideos:
    """What came.

    Args:
        folder: of the collection.
        added: videos that came.
        replaced: those of them that took the place of one of the same id.
        videos: living videos now.
        without_metadata: of those that came; None without a metadata file.
        unused_metadata: rows of the file that belong to none of them; None without one.
        seconds: wall time.
    """

    folder: Path
    added: int
    replaced: int
    videos: int
    without_metadata: int | None
    unused_metadata: int | None
    seconds: float


@dataclass(frozen=True)
class FoundVideo:
    """A similar video; `labels` are names where the classes have some, otherwise numbers."""

    video_id: str
    score: float
    labels: tuple[str, ...]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """What was searched for, as a sentence, and the most similar videos, best first."""

    query: str
    neighbours: tuple[FoundVideo, ...]


@dataclass(frozen=True)
class Verified:
    """A collection of which every checksum fits."""

    folder: Path
    videos: int
    bytes: int


def create_collection(
    workspace: Workspace,
    *,
    folder: Path,
    run: str | None = None,
    codec: str = "int8",
    metric: str = "cosine",
    vocabulary: Path | None = None,
) -> Created:
    """Make an empty collection.

    Args:
        workspace: has the run and, unless `vocabulary` is given, the names of the classes.
        folder: must not exist, or be empty.
        run: name of a run, or its folder, that encodes raw features; None takes finished embeddings.
        codec, metric: see `Collection.create`.
        vocabulary: names of the classes.

    Raises:
        UsageError, NotFoundError: see `Collection.create`.
    """
    encoder = None
    if run is not None:
        encoder = Path(run) if Path(run).is_dir() else workspace.run(run)
    names = vocabulary_of(workspace, run if encoder == workspace.run(run or "") else None, vocabulary)
    made = Collection.create(
        folder, encoder=encoder, codec=codec, metric=metric, vocabulary=names.names or None
    )
    about = made.stats()
    return Created(folder, about.encoder, about.codec, about.metric)


def add_videos(
    workspace: Workspace,
    *,
    folder: Path,
    inputs: Sequence[str],
    metadata: Path | None = None,
    metadata_id: str | None = None,
    replace: bool = False,
    on_corrupt: OnCorrupt = "fail",
    report: Reporter = silent,
) -> AddedVideos:
    """Add the videos of some files in one commit.

    Args:
        workspace: has what is said about files.
        folder: of the collection.
        inputs: one store, or patterns of shards and of arrays: raw features where the collection has an
            encoder that reads them, otherwise embeddings.
        metadata: .csv, .tsv, .jsonl or .parquet with a row per video, joined by id.
        metadata_id: its column of ids; None for video_id or id.
        replace: videos whose ids are there take their place.
        on_corrupt: what happens to unusable records.
        report: gets progress and notes.

    Raises:
        NotFoundError: no collection or no files.
        RecordError: an id is there already.
        SchemaError, DataError: files that do not fit the collection, or each other.
    """
    started = time.monotonic()
    table = None if metadata is None else MetadataFile(metadata, metadata_id)
    with _opened(workspace, folder, report) as videos:
        done = videos.add_blocks(
            lambda state: blocks_of(workspace, state, inputs, table, on_corrupt, report), replace=replace
        )
        if table is not None:
            table.tell(report)
        return AddedVideos(
            folder,
            done.added,
            done.replaced,
            len(videos),
            None if table is None else table.missing,
            None if table is None else table.unused,
            time.monotonic() - started,
        )


def delete_videos(
    workspace: Workspace,
    *,
    folder: Path,
    video_ids: Sequence[str] = (),
    file: Path | None = None,
    report: Reporter = silent,
) -> Deleted:
    """Delete videos, given by their ids or by a file with one id a line.

    Raises:
        UsageError: neither, or both.
        NotFoundError: an id is not there; nothing is deleted then.
    """
    if bool(video_ids) == (file is not None):
        raise UsageError("give ids or a file of ids", hint="ID..., or --ids FILE with one id a line")
    wanted = list(video_ids) if file is None else _lines(file)
    with _opened(workspace, folder, report) as videos:
        return videos.delete(wanted)


def compact_collection(workspace: Workspace, *, folder: Path, report: Reporter = silent) -> Compacted:
    """Write all living videos into one segment, so that no file has bytes of others."""
    with _opened(workspace, folder, report) as videos:
        return videos.compact()


def collection_stats(workspace: Workspace, *, folder: Path, report: Reporter = silent) -> Stats:
    """What a collection holds."""
    with _opened(workspace, folder, report) as videos:
        return videos.stats()


def verify_collection(*, folder: Path) -> Verified:
    """Compare every file with its sha256; CorruptArtifactError where one has changed."""
    videos = Collection.open(folder, verify=False)
    videos.verify()
    return Verified(folder, len(videos), videos.stats().bytes)


def search_collection(
    workspace: Workspace,
    *,
    folder: Path,
    video_ids: Sequence[str] = (),
    vector: Path | None = None,
    k: int = 10,
    where: str | None = None,
    exclude: Sequence[str] = (),
    min_score: float | None = None,
    report: Reporter = silent,
) -> Found:
    """Find the videos most similar to one, to the mean of several, or to an embedding.

    Args:
        workspace: remembers which files were hashed.
        folder: of the collection.
        video_ids: of the collection.
        vector: .npy file with an embedding or raw features, (d,) or (1, d).
        k: how many videos to find, >= 1.
        where, exclude, min_score: see `Collection.search`.
        report: gets notes.

    Raises:
        UsageError: not exactly one of video_ids and vector, or a filter that is none.
        NotFoundError: no collection, no such video or file.
    """
    if bool(video_ids) == (vector is not None):
        raise UsageError("give ids or a vector to search from", hint="VIDEO_ID..., or --vector FILE.npy")
    with _opened(workspace, folder, report) as videos:
        if vector is not None:
            query = read_vector(vector)
            found = videos.search(query, k, where=where, exclude=exclude, min_score=min_score)[0]
            asked = f"most like {vector}"
        else:
            found = videos.search_like(video_ids, k, where=where, exclude=exclude, min_score=min_score)
            asked = f"most like {', '.join(video_ids)}"
        names = videos.vocabulary()
    return Found(asked, tuple(_shown(match, names) for match in found))


def _shown(match: Match, names: Mapping[int, str]) -> FoundVideo:
    labels = tuple(names.get(number, str(number)) for number in match.labels)
    metadata = {name: _plain(value) for name, value in match.metadata.items()}
    return FoundVideo(match.video_id, match.score, labels, metadata)


def _plain(value: Any) -> Any:
    """A value of a column as JSON knows it: times and exact numbers as text."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _lines(path: Path) -> list[str]:
    try:
        lines = read_bytes(path).decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DataError("is no UTF-8 text", where=path, hint="give one id a line") from error
    found = [line.removesuffix("\r") for line in lines]
    return [line for line in found if line]


@contextmanager
def _opened(workspace: Workspace, folder: Path, report: Reporter) -> Iterator[Collection]:
    """A collection whose files are hashed, unless that was done in the last 24 hours."""
    hashed = HashedFiles(workspace.cache / "hashed.json")
    try:
        yield Collection.open(folder, verify=hashed)
    finally:
        remember(hashed, report)
