"""Which rows of Table 4 are shown by class frequency."""

from __future__ import annotations

from pathlib import Path

from compress.evaluation.row import Row
from compress.reports.classes.sections import ClassChoice, KeptRow
from compress.reports.table_4.table import Table4

MOST_ENCODERS = 3  # more look alike on one chart
WHY = "Rows shown: the baseline, the headline's row, and PCA of its size."
WHY_BESIDE_THE_PAPER = (
    "Rows shown: the baseline, the three smallest of the paper's rows (or else the headline's row), and PCA "
    "of the headline's size."
)


def chosen_rows(table: Table4, evaluation: Path) -> ClassChoice:
    """The baseline, the headline's row or the paper's rows that were measured, PCA of the headline's size."""
    subject = table.subject[1] if table.subject else None
    baseline = table.baseline
    rows = [] if baseline is None else [baseline]
    if subject is not None:
        printed = [found.row for found in table.paper if found.row is not None and table.on_youtube8m]
        encoders = printed or [subject]
        rows += sorted(encoders, key=lambda row: (row.dim, row.row))[:MOST_ENCODERS]
        pca = ("pca", subject.dim, "float32")
        rows += [row for _, row in table.measured if (row.encoder, row.dim, row.codec) == pca][:1]
    return ClassChoice(
        rows=tuple(_kept(row, evaluation) for row in rows),
        reference=None if baseline is None else baseline.row,
        subject=None if subject is None else subject.row,
        why=WHY_BESIDE_THE_PAPER if table.on_youtube8m else WHY,
    )


def _kept(row: Row, evaluation: Path) -> KeptRow:
    return KeptRow(
        name=row.row,
        title=row.title + (", synthetic frames" if row.data.synthetic_frames else ""),
        role=row.role,
        fingerprint=row.data.fingerprint,
        scores=evaluation / "scores" / row.row,
        again=f"compress evaluate --name {row.row}",
    )
