"""What the runs learned from: how often each class was there, for plots against the frequency of a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compress.artifacts.atomic import read_json
from compress.errors import SchemaError
from compress.evaluation.fingerprint import videos_fingerprint
from compress.evaluation.models.members import Member
from compress.evaluation.models.views import Views
from compress.training.inputs import Table, fingerprint
from compress.training.run import Run


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
    """The labels of a table, if it is what a run was trained on.

    Nothing of a run says how often each class was there, so that runs of every version can be evaluated; the
    labels are those of the table of the training shards, which training has left in the cache.

    Args:
        table: of the training shards.
        member: the run.
        videos: that it is measured on.

    Returns:
        None when the run was trained on another table, or its config.json is gone.

    Raises:
        SchemaError: a video to measure on was trained on.
    """
    config = Run(member.folder).config
    if not config.exists() or read_json(config).get("data") != fingerprint(table):
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


def common(found: Sequence[TrainingVideos | None]) -> TrainingVideos | None:
    """The training videos of all runs of an ensemble; None when they differ or one is not known."""
    known = [item for item in found if item is not None]
    alike = len(known) == len(found) and len({item.fingerprint for item in known}) == 1
    return known[0] if alike else None
