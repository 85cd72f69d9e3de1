"""Top scores of a measured store or model, kept beside its figures; whether two measurements compare."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.folder import Loaded, commit_folder, load_folder
from compress.artifacts.manifest import MANIFEST, Manifest
from compress.artifacts.one_state import FileState, files_state
from compress.doors.npy import read_npz
from compress.errors import CorruptArtifactError, NotFoundError, SchemaError
from compress.evaluation.judges.names import TITLES
from compress.evaluation.judges.opinion import Opinion, opinion_from, opinion_json
from compress.evaluation.row_file import ROW, SCORES
from compress.evaluation.splits import fingerprint, rows_by_id
from compress.metrics import TopScores
from compress.store.reader import open_store
from compress.workspace import Workspace

_FILE = "top.npz"
_COUNTS = "train_class_counts"
_QUERIES, _PRECISION = "query_videos", "query_label_precision"


@dataclass(frozen=True, eq=False)
class QueryPrecision:
    """Label precision@10 of each query; stores of the same videos and seed have the same queries.

    Args:
        videos: int64 (q,), ascending places in the order of the ids of all validation videos.
        values: float64 (q,) in [0, 1], the share of the 10 nearest videos that share a label with the query.
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
    opinions: Mapping[str, Opinion] | None = None,
    row: dict[str, Any] | None = None,
) -> None:
    """Commit the top scores of all validation videos, in the order of their ids.

    Args:
        folder: where they go.
        top: N videos.
        metadata: what they depend on, JSON.
        train_class_counts: training videos of each class, int64 (C,); None when unknown.
        label_precision: of the query videos; None when neighbours were not measured.
        opinions: of each judge by name, of the same videos.
        row: the JSON of the row that was measured on them, so that figures and scores are of one commit; None
            leaves the row to its own file, as version 0.1 did.
    """
    judges, metadata = opinions or {}, metadata if row is None else {**metadata, ROW: row}
    if judges:
        metadata = metadata | {"judges": {name: opinion_json(one) for name, one in judges.items()}}
    more = {} if train_class_counts is None else {_COUNTS: train_class_counts.astype(np.int64)}
    if label_precision is not None:
        more |= {_QUERIES: label_precision.videos, _PRECISION: label_precision.values}
    files = {_FILE: _npz({**top.to_arrays(), **more})}
    files |= {_judge_file(name): _npz(one.top.to_arrays()) for name, one in judges.items()}
    commit_folder(folder, SCORES, files, metadata)


def load_opinions(folder: Path) -> dict[str, Opinion]:
    """What each judge said, in the panel's order; empty where one head was asked. Raises as `load_scores`."""
    return load_folder(folder, SCORES, _opinions)


def _opinions(manifest: Manifest) -> dict[str, Opinion]:
    judges, found = manifest.metadata.get("judges", {}), {}
    # In the panel's order, which decides between judges that are equally good; JSON has them by name.
    for name in sorted(judges, key=[*TITLES, *judges].index):
        value = judges[name]
        try:
            top = TopScores.from_arrays(_arrays(manifest, _judge_file(name)))
            found[name] = opinion_from(top, value)
        except (KeyError, SchemaError, TypeError) as error:
            raise CorruptArtifactError(f"not what a judge said ({error})", where=manifest.folder) from error
    return found


def load_scores(folder: Path) -> tuple[TopScores, dict[str, Any]]:
    """The scores and the metadata that `save_scores` kept.

    Raises:
        NotFoundError: nothing was evaluated under that name.
        CorruptArtifactError: a checksum does not match.
    """
    return load_folder(folder, SCORES, _scores)


def _scores(manifest: Manifest) -> tuple[TopScores, dict[str, Any]]:
    try:
        return TopScores.from_arrays(_arrays(manifest)), manifest.metadata
    except SchemaError as error:
        raise CorruptArtifactError(f"not top scores ({error})", where=manifest.path(_FILE)) from error


def load_train_class_counts(folder: Path) -> np.ndarray | None:
    """Training videos of each class, int64 (C,); None where they were not kept. Raises as `load_scores`."""
    return load_folder(folder, SCORES, _train_class_counts)


def _train_class_counts(manifest: Manifest) -> np.ndarray | None:
    arrays = _arrays(manifest)
    counts, classes = arrays.get(_COUNTS), arrays.get("num_classes")
    if counts is not None and (classes is None or counts.shape != (int(classes),)):
        raise CorruptArtifactError(f"class counts have the shape {counts.shape}", where=manifest.path(_FILE))
    return counts


def load_query_precision(folder: Path) -> QueryPrecision | None:
    """Label precision@10 of each query; None where neighbours were not measured. Raises as `load_scores`."""
    return load_folder(folder, SCORES, _query_precision)


def _query_precision(manifest: Manifest) -> QueryPrecision | None:
    arrays = _arrays(manifest)
    videos, values = arrays.get(_QUERIES), arrays.get(_PRECISION)
    if videos is None or values is None:
        return None
    size = len(arrays["scores"]) if "scores" in arrays else 0
    if videos.shape != values.shape or videos.ndim != 1 or np.any((videos < 0) | (videos >= size)):
        raise CorruptArtifactError(f"queries have the shape {videos.shape}", where=manifest.path(_FILE))
    return QueryPrecision(videos, values)


def evaluations(folder: Path) -> tuple[tuple[Path, FileState], ...]:
    """What tells whether an evaluation of a folder was replaced, for `one_state`: reports read many."""
    return files_state([*folder.glob("*.json"), *folder.glob(f"{SCORES}/*/{MANIFEST}")])


def load_panel(folder: Path, name: str, command: str) -> tuple[dict[str, Opinion], dict[str, Any]]:
    """`load_opinions` and the facts of a baseline, of one commit; raises as `load_baseline`."""

    def load(manifest: Manifest) -> tuple[dict[str, Opinion], dict[str, Any]]:
        return _opinions(manifest), manifest.metadata

    return _of_baseline(folder, name, command, load)


def _arrays(manifest: Manifest, file: str = _FILE) -> dict[str, np.ndarray]:
    return read_npz(manifest.path(file), kind="top scores", error=CorruptArtifactError)


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def _judge_file(name: str) -> str:
    return f"judge-{name}.npz"


_ALIKE = {
    "head": "measured by other judges (heads, seeds, epochs or mixup)",
    "train": "measured on other training videos",
    "validate": "measured on other validation videos",
}


def load_baseline(folder: Path, name: str, command: str) -> tuple[TopScores, dict[str, Any]]:
    """`load_scores` of a baseline in `folder`/scores; NotFoundError names the command that measures it."""
    return _of_baseline(folder, name, command, _scores)


def _of_baseline(folder: Path, name: str, command: str, load: Callable[[Manifest], Loaded]) -> Loaded:
    try:
        return load_folder(folder / SCORES / name, SCORES, load)
    except NotFoundError as error:
        raise NotFoundError(
            f"the baseline {name!r} has not been evaluated",
            where=folder,
            hint=f"`{command}` first, or choose another --baseline",
        ) from error


def why_stale(workspace: Workspace, name: str, facts: Mapping[str, Any]) -> str | None:
    """Why the scores of a store are outdated, or None; `facts` were kept with them."""
    path = workspace.store(name)
    # A store that was removed is not stale: its scores still say what it was. Not verified again: the sha256
    # that the file claims tells whether it is the one that was measured.
    if path.exists() and open_store(path, verify=False).sha256 != facts.get("store_sha256"):
        return "encoded again since it was measured"
    return None


def why_unlike(facts: Mapping[str, Any], baseline: Mapping[str, Any]) -> str | None:
    """Why two measurements cannot be compared, or None; both are facts kept with scores."""
    return next((words for key, words in _ALIKE.items() if facts.get(key) != baseline.get(key)), None)


def validation_ids(workspace: Workspace, names: Iterable[str], videos: str) -> np.ndarray:
    """Ids of the measured videos in the order of their scores, S<w> (N,), from the first store that has them.

    Args:
        workspace: where the stores lie.
        names: stores that may hold them.
        videos: fingerprint of the validation videos.

    Raises:
        NotFoundError: no store holds them.
        CorruptArtifactError: one of the stores is damaged.
    """
    for name in names:
        if not workspace.store(name).exists():
            continue
        # Not verified: only ids and labels are read, and the fingerprint covers them.
        store = open_store(workspace.store(name), verify=False)
        complete = store.labels is not None and "validate" in store.splits
        if complete and fingerprint(store, "validate") == videos:
            return np.asarray(store.id_bytes[rows_by_id(store, "validate")])
    raise NotFoundError(
        "no store holds the measured videos any more, so their ids are not known",
        where=workspace.embeddings,
        hint="`compress encode` the baseline again, then `compress evaluate` it",
    )
