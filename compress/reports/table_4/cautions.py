"""What a reader must know before believing the table."""

from __future__ import annotations

from compress.evaluation.row import Row
from compress.reports.few_videos import few_videos
from compress.reports.table_4.sentences import SAMPLE_NOTE, subject, training
from compress.reports.table_4.table import Table4
from compress.reports.wording import figure, listed, points


def cautions(table: Table4) -> list[str]:
    """Sentences about these rows, each a reason to read the table with care; empty when there is none."""
    rows = [row for _, row in table.measured]
    found = [
        _invented(rows),
        _synthetic(rows),
        few_videos(rows, heads=True),
        _missing_baseline(table),
        _larger_than_8_bits(table),
    ]
    found += [*_equal_controls(table), _unlike_heads(rows), *table.failures]
    return [text for text in found if text]


def _invented(rows: list[Row]) -> str:
    return SAMPLE_NOTE if any(SAMPLE_NOTE in row.notes for row in rows) else ""


def _synthetic(rows: list[Row]) -> str:
    names = [row.row for row in rows if row.data.synthetic_frames]
    if not names:
        return ""
    return (
        f"Synthetic frames: {listed(names)} saw frames made up from video-level means, not real ones; "
        "the figures show that the pipeline runs, not what the model can do."
    )


def _missing_baseline(table: Table4) -> str:
    if table.baseline is not None:
        return ""
    return "The original features were not measured: no size saved, no band in the plots."


def _larger_than_8_bits(table: Table4) -> str:
    line, original = subject(table), table.baseline
    if line is None or line.row is None or original is None:
        return ""
    row = line.row
    for _, small in table.measured:
        plain = small.role == "control" and small.codec == "int8" and small.dim == original.dim
        if plain and small.bytes_per_video < row.bytes_per_video:
            gap = figure(small.figures.gap.value)
            return (
                f"Bytes are not dimensions: the original in 8 bits takes {small.bytes_per_video} bytes a "
                f"video at GAP {gap}, fewer than the {row.bytes_per_video} of {row.row}."
            )
    return ""


def _equal_controls(table: Table4) -> list[str]:
    """Controls of the same size or smaller that reach the GAP of the headline's row."""
    line = subject(table)
    if line is None or line.row is None:
        return []
    row = line.row
    return [
        f"A simpler row does as well: {other.row} has {points(gain)} points of GAP over {row.row} "
        "(point estimates; no paired interval between these two)."
        for _, other in table.measured
        if other.role == "control" and other.dim <= row.dim and other.bytes_per_video <= row.bytes_per_video
        if (gain := other.figures.gap.value - row.figures.gap.value) >= 0
    ]


def _unlike_heads(rows: list[Row]) -> str:
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(training(row), []).append(row.row)
    if len(groups) == 1:
        return ""
    described = "; ".join(f"{listed(names)}: {how}" for how, names in groups.items())
    return f"Not like with like: heads were trained differently ({described})."
