"""`compress clusters`: the videos of a store in groups of like ones."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.index.clusters import find_centres, nearest_centres
from compress.index.rows import Selection, select
from compress.jobs.classes import vocabulary_of_store
from compress.jobs.names import find_store
from compress.jobs.table_file import Kind, Row, check_table_file, write_table
from compress.progress import Reporter, silent
from compress.store.reader import open_store
from compress.workspace import Workspace

_COLUMNS: dict[str, Kind] = {"video_id": "text", "cluster": "whole", "cosine": "real"}
_SHOWN_LABELS = 3


@dataclass(frozen=True)
class Cluster:
    """One group.

    Args:
        number: from 0, the largest group first.
        size: videos in it.
        cosine: mean of their cosines to the centre.
        nearest: the id of the video nearest to the centre; None for a group without videos.
        labels: its most frequent labels with the share of its videos that have them; () without labels.
    """

    number: int
    size: int
    cosine: float
    nearest: str | None
    labels: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Clustered:
    """All groups of a store.

    Args:
        store: its name. videos: in the groups. k: how many groups.
        cosine: mean of the cosines of all videos to their centres.
        clusters: the largest first.
        output: the file that was written, or None.
        seconds: of the work.
    """

    store: str
    videos: int
    k: int
    cosine: float
    clusters: tuple[Cluster, ...]
    output: Path | None
    seconds: float


def cluster_store(
    workspace: Workspace,
    *,
    dim: int | None = None,
    name: str | None = None,
    k: int = 100,
    split: str | None = None,
    output: Path | None = None,
    vocabulary: Path | None = None,
    replace: bool = False,
    seed: int = 0,
    report: Reporter = silent,
) -> Clustered:
    """Divide the videos of a store into k groups by spherical k-means.

    Args:
        workspace: has the store, unless `name` is a path.
        dim, name: which store; its decoded embeddings are compared.
        k: groups, from 1 to the number of videos.
        split: only the videos of one split; None for all.
        output: .parquet, .csv or .jsonl: a row for each video (video_id, cluster, cosine to its centre).
        vocabulary: names of the classes; None means those of the store or the workspace.
        replace: write over an `output` that is there.
        seed: the same one gives the same groups.
        report: gets progress.

    Raises:
        NotFoundError: no such store, split or vocabulary.
        UsageError: k is larger than the number of videos, `output` is there, or its suffix names no form.
    """
    started = time.monotonic()
    if output is not None:
        check_table_file(output, replace)
    found = find_store(workspace, dim, name)
    store = open_store(found.path)
    rows, names = select(store, split, "cosine"), vocabulary_of_store(workspace, store, vocabulary)
    centres = find_centres(rows, k, seed, report)
    numbers, cosines = np.empty(len(rows), np.int64), np.empty(len(rows), np.float32)
    for block in nearest_centres(rows, centres, report):
        here = slice(block.first, block.first + len(block.clusters))
        numbers[here], cosines[here] = block.clusters, block.cosines
    sizes = np.bincount(numbers, minlength=k)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(k, np.int64)
    rank[order] = np.arange(k)
    numbers = rank[numbers]
    if output is not None:
        write_table(output, _COLUMNS, _table(rows, numbers, cosines))
    by_cluster = np.split(np.argsort(numbers, kind="stable"), np.cumsum(sizes[order])[:-1])
    labels = None if store.labels is None else store.labels.take(np.array(rows.store_rows))
    ids = store.id_bytes[rows.store_rows.start : rows.store_rows.stop]
    clusters = []
    for number, members in enumerate(by_cluster):
        if not len(members):
            clusters.append(Cluster(number, 0, 0.0, None, ()))
            continue
        nearest = ids[members[np.argmax(cosines[members])]].decode("utf-8", "backslashreplace")
        counts = Counter([] if labels is None else labels.take(members).indices.tolist())
        told = ((names.shown(label), n / len(members)) for label, n in counts.most_common(_SHOWN_LABELS))
        clusters.append(Cluster(number, len(members), float(cosines[members].mean()), nearest, tuple(told)))
    mean, took = float(cosines.mean()), time.monotonic() - started
    return Clustered(found.name, len(rows), k, mean, tuple(clusters), output, took)


def _table(rows: Selection, numbers: np.ndarray, cosines: np.ndarray) -> Iterator[list[Row]]:
    ids = rows.store.id_bytes
    for start in range(0, len(rows), 65_536):
        stop, first = min(start + 65_536, len(rows)), rows.store_rows.start
        block = ids[first + start : first + stop].tolist()
        named = [video.decode("utf-8", "backslashreplace") for video in block]
        yield list(zip(named, numbers[start:stop].tolist(), cosines[start:stop].tolist(), strict=True))
