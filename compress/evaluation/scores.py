"""Top scores of a row, kept beside its figures: a later row is compared with them video by video."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.folder import commit_folder, read_folder
from compress.artifacts.manifest import Manifest
from compress.errors import CorruptArtifactError, SchemaError
from compress.metrics import TopScores

_FILE = "top.npz"
_COUNTS = "train_class_counts"
_QUERIES, _PRECISION = "query_videos", "query_label_precision"


@dataclass(frozen=True, eq=False)
class QueryPrecision:
    """Label precision@10 of each query.

    Stores of the same videos, measured with the same seed, have the same queries.

    Args:
        videos: int64 (q,), ascending places in the order of the ids of all validation videos.
        values: float64 (q,) in [0, 1], the share of the 10 nearest that share a label with the query.
    """

    videos: np.ndarray
    values: np.ndarray

    def where(self, kept: np.ndarray) -> QueryPrecision:
        """The queries among some validation videos; `kept` is bool (N,) over all of them."""
        inside = kept[self.videos]
        return QueryPrecision(self.videos[inside], self.values[inside])


def save_scores(
    folder: Path,
    top: TopScores,
    metadata: dict[str, Any],
    train_class_counts: np.ndarray | None = None,
    label_precision: QueryPrecision | None = None,
) -> None:
    """Commit the top scores of all validation videos, in the order of their ids.

    Args:
        folder: where they go.
        top: N videos.
        metadata: what they depend on, JSON.
        train_class_counts: training videos of each class, int64 (C,); None when nobody knows.
        label_precision: of the videos that were searched for; None when neighbours were not measured.
    """
    more = {} if train_class_counts is None else {_COUNTS: train_class_counts.astype(np.int64)}
    if label_precision is not None:
        more |= {_QUERIES: label_precision.videos, _PRECISION: label_precision.values}
    buffer = io.BytesIO()
    np.savez(buffer, **top.to_arrays(), **more)  # type: ignore[arg-type]
    commit_folder(folder, "scores", {_FILE: buffer.getvalue()}, metadata)


def load_scores(folder: Path) -> tuple[TopScores, dict[str, Any]]:
    """The scores and the metadata that `save_scores` kept.

    Raises:
        NotFoundError: nothing was evaluated under that name.
        CorruptArtifactError: a checksum does not match.
    """
    manifest = read_folder(folder, "scores")
    try:
        return TopScores.from_arrays(_arrays(manifest)), manifest.metadata
    except SchemaError as error:
        raise CorruptArtifactError(f"not top scores ({error})", where=manifest.path(_FILE)) from error


def load_train_class_counts(folder: Path) -> np.ndarray | None:
    """Training videos of each class, int64 (C,); None where they were not kept. Raises as `load_scores`."""
    manifest = read_folder(folder, "scores")
    arrays = _arrays(manifest)
    counts, classes = arrays.get(_COUNTS), arrays.get("num_classes")
    if counts is not None and (classes is None or counts.shape != (int(classes),)):
        raise CorruptArtifactError(f"class counts have the shape {counts.shape}", where=manifest.path(_FILE))
    return counts


def load_query_precision(folder: Path) -> QueryPrecision | None:
    """Label precision@10 of each query; None where neighbours were not measured. Raises as `load_scores`."""
    manifest = read_folder(folder, "scores")
    arrays = _arrays(manifest)
    videos, values = arrays.get(_QUERIES), arrays.get(_PRECISION)
    if videos is None or values is None:
        return None
    size = len(arrays["scores"]) if "scores" in arrays else 0
    if videos.shape != values.shape or videos.ndim != 1 or np.any((videos < 0) | (videos >= size)):
        raise CorruptArtifactError(f"queries have the shape {videos.shape}", where=manifest.path(_FILE))
    return QueryPrecision(videos, values)


def _arrays(manifest: Manifest) -> dict[str, np.ndarray]:
    try:
        with np.load(manifest.path(_FILE), allow_pickle=False) as arrays:
            return dict(arrays)
    except ValueError as error:
        raise CorruptArtifactError(f"not top scores ({error})", where=manifest.path(_FILE)) from error
