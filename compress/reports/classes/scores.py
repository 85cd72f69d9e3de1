"""The scores that were kept beside the rows of a report -> average precision of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compress.errors import NotFoundError
from compress.evaluation.scores import load_scores, load_train_class_counts
from compress.reports.classes.choice import KeptRow
from compress.reports.classes.frequency import ScoredClasses, scored_classes


def load_scored(rows: Sequence[KeptRow]) -> tuple[list[ScoredClasses], list[KeptRow]]:
    """Measure the classes of rows whose scores were kept with the counts of training videos.

    Scores kept before there were counts take those of another row that had the same training videos.

    Returns: the rows that can be compared, and those that must be measured again first.

    Raises:
        CorruptArtifactError: kept scores are damaged.
    """
    known = _known_counts(rows)
    if known is None:
        return [], list(rows)
    found = [(row, _load(row, known)) for row in rows]
    return [scored for _, scored in found if scored is not None], [row for row, scored in found if not scored]


@dataclass(frozen=True, eq=False)
class _Counts:
    """Training videos of each class, int64 (C,), and the fingerprint of these videos."""

    counts: np.ndarray
    training: str | None


def _known_counts(rows: Sequence[KeptRow]) -> _Counts | None:
    for row in rows:
        try:
            counts = load_train_class_counts(row.scores)
        except NotFoundError:
            continue
        if counts is not None:
            return _Counts(counts, load_scores(row.scores)[1].get("train"))
    return None


def _load(row: KeptRow, known: _Counts) -> ScoredClasses | None:
    """None when nothing was kept, or of other videos than the row's (or, in training, the others')."""
    try:
        top, facts = load_scores(row.scores)
    except NotFoundError:
        return None
    if facts.get("validate") != row.fingerprint or facts.get("train") != known.training:
        return None
    return scored_classes(row.name, row.title, row.role, top, known.counts)
