"""`compress search`: from a question, or a file of them, to the most similar videos and their labels."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.datasets.vocabulary import Vocabulary
from compress.errors import NotFoundError, UsageError
from compress.index.aligned import aligned
from compress.index.choosing import Choice, Found, choose
from compress.index.diversity import mean_query
from compress.index.reranking import DEPTH
from compress.jobs.classes import vocabulary_of_store
from compress.jobs.hits import Hit, ShownHits, labels_of
from compress.jobs.hits_file import HitRow, form_of, write_hits
from compress.jobs.names import find_store
from compress.jobs.queries import Asked, Queries, read_ids, read_queries
from compress.jobs.searchable import open_searchable
from compress.jobs.sister_stores import sister_called
from compress.machine import choose_device
from compress.progress import Note, Reporter, silent
from compress.store.reader import Store
from compress.workspace import Workspace

_SHOWN = 3


@dataclass(frozen=True)
class Answer:
    """What was searched for, as a sentence, and the most similar videos after `offset` others, best first."""

    query: str
    neighbours: tuple[Hit, ...]
    offset: int = 0


@dataclass(frozen=True)
class Answers:
    """A file of what many queries found: how many asked, how many rows it has, and where it is."""

    queries: int
    hits: int
    output: Path
    seconds: float


def search_store(
    workspace: Workspace,
    *,
    dim: int | None = None,
    name: str | None = None,
    video_ids: Sequence[str] = (),
    row: int | None = None,
    vector: Path | None = None,
    features: Path | None = None,
    queries: Path | None = None,
    run: str | None = None,
    output: Path | None = None,
    replace: bool = False,
    k: int = 10,
    offset: int = 0,
    min_score: float | None = None,
    exclude: Sequence[str] = (),
    mmr: float | None = None,
    rerank: str | None = None,
    depth: int = DEPTH,
    vocabulary: Path | None = None,
    verify: bool = False,
    device: str = "auto",
    report: Reporter = silent,
) -> Answer | Answers:
    """Find the videos most similar to what exactly one of video_ids, row, vector, features and queries says.

    Store and index are mapped into memory, and hashed unless that was done in the last 24 hours and they have
    not changed since (see `compress.artifacts.hashed`).

    Args:
        workspace: has the store, unless `name` is a path.
        dim, name: which store.
        video_ids: videos of the store; the mean of several asks, and none of them is found.
        row: a row of the store.
        vector, queries: file of queries, see `read_queries`; rows of another size than the embeddings are
            features, and encoded first.
        features: the same, of rows that are features whatever their size.
        run: that encodes features; None for the run of the store.
        output: .parquet, .csv or .jsonl, for any number of queries; None returns what a single one found.
        replace: write over an `output` that is there.
        k: how many videos to find at most, >= 1.
        offset: how many better ones to pass over, >= 0.
        min_score: find only videos of this score or a higher one.
        exclude: ids, or text files of ids, that are not to be found.
        mmr: balance of relevance and diversity in [0, 1], see `compress.index.diversity`; None: relevance.
        rerank: store or codec of the same embeddings that ranks what the index finds.
        depth: candidates for `mmr` and `rerank`, >= 1.
        vocabulary: names of the classes; None means those of the store or the workspace.
        verify: hash store and index in full now.
        device: to encode features on, "auto", "cpu" or "cuda".
        report: gets progress and notes.

    Raises:
        UsageError: nothing or several things to search for; several queries and no output; or it is there.
        NotFoundError: no store, no index, no such video, row or file.
        SchemaError: queries do not fit the store.
    """
    started = time.monotonic()
    file = _the_one(video_ids, row, vector, features, queries)
    form = None if output is None else form_of(output, replace)
    if output is not None and file is not None and output.resolve() == file.resolve():
        raise UsageError("is the file of the queries", where=f"--output {output}", hint="name another file")
    found = find_store(workspace, dim, name)
    store, index = open_searchable(workspace, found, verify, report)
    metric, first = index.facts.metric, index.facts.first_row
    stored = aligned(store, index.id_bytes, index.dim, metric, str(store.path))
    larger = None if rerank is None else sister_called(workspace, store, rerank, index.id_bytes, metric).rows
    names = vocabulary_of_store(workspace, store, vocabulary, report)

    def rows_of(rows: np.ndarray) -> np.ndarray:
        inside = rows - first
        if larger is not None and ((inside >= 0) & (inside < len(index))).all():
            return larger.store.rows(inside + larger.store_rows.start)
        return store.rows(rows)

    asked = Asked(workspace, store, metric, features is not None, run, choose_device(device), rows_of)
    left_out = np.zeros(len(index), dtype=bool)
    _leave_out(left_out, _excluded(asked, exclude, report) - first)
    if file is None:
        rows = _rows_asked(store, video_ids, row)
        _leave_out(left_out, rows - first)
        blocks = iter(
            [Queries([_joined(asked, rows)], mean_query(asked.videos(rows), metric)[None], rows[:1])]
        )
    else:
        blocks = read_queries(asked, file)
    choice = Choice(k, offset, min_score, mmr, depth, larger)

    def answered(block: Queries) -> list[Found]:
        own = np.where(block.own < 0, -1, block.own - first)
        return choose(index, stored, block.vectors, own, left_out, choice)

    shown = ShownHits(index, store, names, offset)
    if output is None or form is None:
        block = _single(blocks, file)
        hits = shown.hits(answered(block)[0])
        question = f"most like {file}" if file is not None else _question(asked, rows, names)
        return Answer(question, hits, offset)
    counted = [0, 0]

    def written() -> Iterator[list[HitRow]]:
        for block in blocks:
            lines = shown.lines(block.names, answered(block))
            counted[:] = counted[0] + len(block), counted[1] + len(lines)
            report(Note(f"{counted[0]:,} queries answered", passing=True))
            yield lines

    write_hits(form, output, written())
    return Answers(counted[0], counted[1], output, time.monotonic() - started)


def _the_one(
    video_ids: Sequence[str],
    row: int | None,
    vector: Path | None,
    features: Path | None,
    queries: Path | None,
) -> Path | None:
    """The file of the queries; None where they are videos of the store."""
    files = [path for path in (vector, features, queries) if path is not None]
    if bool(video_ids) + (row is not None) + len(files) != 1:
        raise UsageError(
            "exactly one thing to search for is needed",
            hint="give VIDEO_ID (or several), --row N, --vector FILE.npy, --features FILE or --queries FILE",
        )
    return files[0] if files else None


def _single(blocks: Iterator[Queries], file: Path | None) -> Queries:
    """The only query there is; UsageError where there are more, as no answer is to be dropped."""
    block = next(blocks)
    if len(block) > 1 or next(blocks, None) is not None:
        raise UsageError(
            "holds more than one query, and one is answered here",
            where=str(file),
            hint="give --output hits.parquet (or .csv, .jsonl) to answer all",
        )
    return block


def _rows_asked(store: Store, video_ids: Sequence[str], row: int | None) -> np.ndarray:
    if row is not None and row >= len(store):
        hint = f"the store has {len(store):,} videos"
        raise NotFoundError(f"no row {row}", where=store.path, hint=hint)
    rows = [store.row_of(video_id) for video_id in video_ids] if row is None else [row]
    return np.array(list(dict.fromkeys(rows)), dtype=np.int64)


def _excluded(asked: Asked, exclude: Sequence[str], report: Reporter) -> np.ndarray:
    """Rows of the store; ids of a file that are not in the store are counted in a note."""
    rows, unknown = [], 0
    for given in exclude:
        try:
            rows.append(asked.store.row_of(given))
        except NotFoundError:
            if not Path(given).is_file():
                raise
            ids = read_ids(Path(given))
            known = dict.fromkeys(ids)
            for video_id in known:
                try:
                    rows.append(asked.store.row_of(video_id))
                except NotFoundError:
                    unknown += 1
    if unknown:
        report(Note(f"{unknown:,} of the ids to leave out are not in the store"))
    return np.array(rows, dtype=np.int64)


def _leave_out(left_out: np.ndarray, rows: np.ndarray) -> None:
    left_out[rows[(rows >= 0) & (rows < len(left_out))]] = True


def _joined(asked: Asked, rows: np.ndarray) -> str:
    return " + ".join(map(asked.name, rows.tolist()))


def _question(asked: Asked, rows: np.ndarray, names: Vocabulary) -> str:
    if len(rows) > 1:
        shown = ", ".join(map(asked.name, rows[:_SHOWN].tolist()))
        more = "" if len(rows) <= _SHOWN else f" and {len(rows) - _SHOWN:,} more"
        return f"most like the mean of {shown}{more}"
    row = int(rows[0])
    labels = ", ".join(labels_of(asked.store, row, names))
    return f"most like {asked.name(row)} (row {row})" + (f": {labels}" if labels else "")
