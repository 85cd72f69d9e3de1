"""The validation videos as features, as frames, or both: the same videos, paired by their ids.

Scores are kept in the order of the ids, whatever the order of the shards. So the scores of any two models of
the same videos, or of a model and a store, can be paired video by video.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compress.datasets.schema import Level
from compress.errors import SchemaError, UsageError
from compress.evaluation.models.members import Member
from compress.evaluation.splits import videos_fingerprint
from compress.run_config import changed_since, config_path, read_run_config
from compress.training.inputs import Table, fingerprint, reading_order
from compress.training.scoring import ROWS


@dataclass(frozen=True)
class Views:
    """N labelled videos at one or two levels.

    Args:
        tables: by level.
        rows: by level, int64 (N,): the table's row of each video, videos in the order of their ids.
        fingerprint: sha256 over ids and labels, the same at every level.
        contents: by level, sha256 over schema, ids, labels and a sample of the features.
    """

    tables: Mapping[Level, Table]
    rows: Mapping[Level, np.ndarray]
    fingerprint: str
    contents: Mapping[Level, str]

    def __len__(self) -> int:
        return len(next(iter(self.rows.values())))

    @property
    def num_classes(self) -> int:
        """C."""
        return next(iter(self.tables.values())).labels.num_classes

    @property
    def synthetic_frames(self) -> bool:
        """Whether some of the frames were expanded from features."""
        return any(table.schema.synthetic_frames for table in self.tables.values())

    @property
    def ids(self) -> np.ndarray:
        """(N,) S<w>, ascending."""
        level, table = next(iter(self.tables.items()))
        return table.ids[self.rows[level]]

    def batches(self) -> Iterator[tuple[np.ndarray, Mapping[Level, np.ndarray]]]:
        """Every video once, batched as training validates: by length where there are frames.

        Yields:
            Places of the videos in the order of the ids, int64 (b,), and their rows in each table.
        """
        leading: Level = "frame" if "frame" in self.tables else "video"
        place_of = np.empty(len(self), dtype=np.int64)
        place_of[self.rows[leading]] = np.arange(len(self))
        for chosen in reading_order(self.tables[leading], ROWS[leading]):
            places = place_of[chosen]
            yield places, {level: rows[places] for level, rows in self.rows.items()}


def pair_views(tables: Mapping[Level, Table]) -> Views:
    """Pair the tables of the same videos, by level; ids are distinct within a table.

    Raises:
        UsageError: no table.
        SchemaError: the tables differ in videos, labels or number of classes; says how.
    """
    if not tables:
        raise UsageError("no videos to measure on")
    rows = {level: np.argsort(table.ids, kind="stable") for level, table in tables.items()}
    _check_same(tables, rows)
    level, table = next(iter(tables.items()))
    return Views(
        tables,
        rows,
        videos_fingerprint(table.ids[rows[level]], table.labels.take(rows[level])),
        {level: fingerprint(table) for level, table in tables.items()},
    )


def _check_same(tables: Mapping[Level, Table], rows: Mapping[Level, np.ndarray]) -> None:
    (first, table), *others = tables.items()
    ids, labels = table.ids[rows[first]], table.labels.take(rows[first])
    for level, other in others:
        what = f"the {first}-level and the {level}-level validation videos differ"
        if other.labels.num_classes != table.labels.num_classes:
            classes = f"{table.labels.num_classes} and {other.labels.num_classes} classes"
            raise SchemaError(f"{what}: {classes}")
        their_ids, their_labels = other.ids[rows[level]], other.labels.take(rows[level])
        if not np.array_equal(ids, their_ids):
            raise SchemaError(f"{what}: {_difference(first, ids, level, their_ids)}", hint=_HINT)
        if not np.array_equal(labels.counts(), their_labels.counts()) or not np.array_equal(
            labels.indices, their_labels.indices
        ):
            unlike = [row for row in range(len(ids)) if not np.array_equal(labels[row], their_labels[row])]
            video = ids[unlike[0]].decode("utf-8", "backslashreplace")
            raise SchemaError(f"{what}: {len(unlike)} have other labels, {video!r} for one", hint=_HINT)


_HINT = "models of different levels are averaged on features and frames of the same videos"


def _difference(level: str, ids: np.ndarray, other: str, other_ids: np.ndarray) -> str:
    only = {level: np.setdiff1d(ids, other_ids), other: np.setdiff1d(other_ids, ids)}
    return " and ".join(
        f"{len(found)} are {name}-level only ({found[0].decode('utf-8', 'backslashreplace')!r} for one)"
        for name, found in only.items()
        if len(found)
    )


@dataclass(frozen=True, eq=False)
class TrainingVideos:
    """The training videos of all runs of an evaluation.

    Args:
        fingerprint: sha256 over ids and labels, in the order of the ids, as a store's evaluation keeps it.
        class_counts: videos of each class, int64 (C,).
    """

    fingerprint: str
    class_counts: np.ndarray


def training_videos(table: Table, member: Member, videos: Views) -> TrainingVideos | None:
    """The labels of a table, if a run was trained on it.

    A run does not record how often each class occurred. The counts come from the table of the training
    shards, which training has left in the cache.

    Args:
        table: of the training shards.
        member: the run.
        videos: that it is measured on.

    Returns:
        None when the run was trained on another table, or its config.json is gone.

    Raises:
        SchemaError: a video to measure on was trained on.
    """
    known = config_path(member.folder).exists()
    if not known or read_run_config(member.folder).get("data") != fingerprint(table):
        return None
    both = np.intersect1d(table.ids, videos.ids)
    if len(both):
        raise SchemaError(
            f"{member.name!r} was trained on {len(both)} of the videos to measure on, "
            f"{both[0].decode('utf-8', 'backslashreplace')!r} for one",
            where=member.folder,
            hint="measure on videos that were not trained on",
        )
    order = np.argsort(table.ids, kind="stable")
    labels = table.labels.take(order)
    return TrainingVideos(videos_fingerprint(table.ids[order], labels), labels.class_counts())


def changed_shards(member: Member, table: Table) -> list[str]:
    """A clause for each shard of a table that had another size when the run was trained."""
    if not config_path(member.folder).exists():
        return []
    return changed_since(read_run_config(member.folder), table.shards)


def common(found: Sequence[TrainingVideos | None]) -> TrainingVideos | None:
    """The training videos of all runs of an ensemble; None when they differ or one is unknown."""
    known = [item for item in found if item is not None]
    alike = len(known) == len(found) and len({item.fingerprint for item in known}) == 1
    return known[0] if alike else None
