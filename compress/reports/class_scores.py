"""The scores that were kept beside the rows of a report -> average precision of each class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compress.evaluation.scores import load_scores
from compress.reports.class_counts import ClassCounts, read_class_counts
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
    kept = {row.row: read_class_counts(evaluation / "scores" / row.row) for row in rows}
    known = next((found for found in kept.values() if found and found.counts is not None), None)
    if known is None:
        return [], list(rows)
    scored, left_out = [], []
    for row in rows:
        found = _load(row, evaluation, kept[row.row], known)
        if found is None:
            left_out.append(row)
        else:
            scored.append(found)
    return scored, left_out


def _load(row: Row, evaluation: Path, kept: ClassCounts | None, known: ClassCounts) -> ScoredClasses | None:
    """The classes of one row; None when it saw other training videos, or its scores are of another time."""
    if kept is None or known.counts is None or kept.training != known.training:
        return None
    top, facts = load_scores(evaluation / "scores" / row.row)
    if facts.get("validate") != row.data.fingerprint:
        return None
    return scored_classes(row.row, row.title, row.role, top, known.counts)
