"""The scores that were kept beside the rows of a report -> average precision of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.errors import NotFoundError
from compress.evaluation.scores import load_scores, load_train_class_counts
from compress.reports.class_frequency import ScoredClasses, scored_classes
from compress.reports.row import Row
from compress.reports.sentences import subject
from compress.reports.table4 import Table4

MOST_ENCODERS = 3  # more cannot be told apart on one plot


def chosen_rows(table: Table4) -> list[Row]:
    """The baseline, the paper's rows that were measured (else the headline's), PCA of the headline's size."""
    line = subject(table)
    if line is None or line.row is None:
        return [] if table.baseline is None else [table.baseline]
    encoders = [found.row for found in table.paper if found.row is not None] or [line.row]
    encoders = sorted(encoders, key=lambda row: (row.dim, row.row))[:MOST_ENCODERS]
    pca = [
        row
        for _, row in table.measured
        if row.encoder == "pca" and row.dim == line.row.dim and row.codec == "float32"
    ]
    baseline = [] if table.baseline is None else [table.baseline]
    return [*baseline, *encoders, *pca[:1]]


def load_scored(rows: Sequence[Row], evaluation: Path) -> tuple[list[ScoredClasses], list[Row]]:
    """Measure the classes of rows whose scores were kept with the counts of training videos.

    Scores kept before there were counts take those of another row that had the same training videos.

    Args:
        rows: of `evaluation`.
        evaluation: folder with scores/<row>.

    Returns: the rows that can be compared, and those that must be measured again first.

    Raises:
        CorruptArtifactError: kept scores are damaged.
    """
    known = _known_counts(rows, evaluation)
    if known is None:
        return [], list(rows)
    found = [(row, _load(row, evaluation, known)) for row in rows]
    return [scored for _, scored in found if scored is not None], [row for row, scored in found if not scored]


@dataclass(frozen=True, eq=False)
class _Counts:
    """Training videos of each class, int64 (C,), and the fingerprint of these videos."""

    counts: np.ndarray
    training: str | None


def _known_counts(rows: Sequence[Row], evaluation: Path) -> _Counts | None:
    for row in rows:
        folder = evaluation / "scores" / row.row
        try:
            counts = load_train_class_counts(folder)
        except NotFoundError:
            continue
        if counts is not None:
            return _Counts(counts, load_scores(folder)[1].get("train"))
    return None


def _load(row: Row, evaluation: Path, known: _Counts) -> ScoredClasses | None:
    """None when nothing was kept, or of other videos than the row's (or, in training, the others')."""
    try:
        top, facts = load_scores(evaluation / "scores" / row.row)
    except NotFoundError:
        return None
    if facts.get("validate") != row.data.fingerprint or facts.get("train") != known.training:
        return None
    title = row.title + (", synthetic frames" if row.data.synthetic_frames else "")
    return scored_classes(row.row, title, row.role, top, known.counts)
