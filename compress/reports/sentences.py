"""What the report says in words: the headline, what was measured on, what to beware of, and how to read it."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from compress.reports.row import Row
from compress.reports.table4 import Line, Table4
from compress.reports.verdict import Verdict
from compress.reports.wording import count, figure, listed, percent, points, size

METHOD = (
    "GAP, PERR and Hit@1 are those of the YouTube-8M evaluation code, on the 20 highest scores a video. MAP skips "
    "classes without positives; the paper's MAP counts them as 0 (ours in that variant: MAP with empty as 0).",
    "Intervals are 95 % bootstrap intervals over the validation videos. A difference (\N{GREEK CAPITAL LETTER DELTA}) is "
    "row minus baseline on the same resampled videos (paired), in points: 1 point is 0.01.",
    "Intervals cover which videos were drawn. They do not cover the training seed: training again with "
    "another seed moves a row too.",
    "Verdict: holds when the whole interval of the difference is at or above 0; within noise when it contains "
    "0 and reaches below; falls short when all of it is below 0. MAP has its own verdict, because the paper's "
    "320-d model held GAP and lost MAP (0.418 against 0.466).",
    "Saved is (original \N{MINUS SIGN} row) / original, in dimensions (as the paper counts) and in stored bytes a video.",
    "The paper's figures are single runs on the full data set (3.84 million training videos), with the head trained "
    "jointly; ours come from a head trained afresh on the stored embeddings. Compare differences, not levels.",
)


def headline(table: Table4) -> str:
    """One sentence about the smallest measured row of the paper's table (else the smallest other encoder)."""
    line = subject(table)
    if line is None or line.row is None:
        return "No embedding has been measured yet"
    row, original = line.row, table.baseline
    if original is None:
        return f"A {row.dim}-d embedding reaches GAP {figure(row.figures.gap.value)}; the original was not measured"
    kept = row.figures.gap.value / original.figures.gap.value if original.figures.gap.value else 0.0
    noise = " (within noise)" if line.gap_verdict is Verdict.WITHIN_NOISE else ""
    only = "only " if line.gap_verdict is Verdict.FALLS_SHORT else ""
    bytes_share = percent(row.bytes_per_video / original.bytes_per_video)
    return (
        f"A {row.dim}-d embedding keeps {only}{100 * kept:.1f} % of GAP{noise} at {bytes_share} of the bytes{_map_clause(line, original)}"
    )


def _map_clause(line: Line, original: Row) -> str:
    if line.row is None or line.map_verdict is not Verdict.FALLS_SHORT or not original.figures.map.value:
        return ""
    kept = line.row.figures.map.value / original.figures.map.value
    joint = "and" if line.gap_verdict is Verdict.FALLS_SHORT else "but"
    return f", {joint} {100 * kept:.1f} % of MAP"


def subject(table: Table4) -> Line | None:
    """The line that the headline is about."""
    for lines in (table.paper, table.others):
        found = [line for line in lines if line.row is not None]
        if found:
            return min(found, key=lambda line: (line.dim, -(line.row.bytes_per_video if line.row else 0)))
    return None


def data_line(table: Table4) -> str:
    """What all rows were measured on: data, videos, classes, seeds."""
    rows = [row for _, row in table.measured]
    data = rows[0].data
    sources = listed(sorted({row.data.source for row in rows}))
    trainings = {_training(row) for row in rows}
    heads = trainings.pop() if len(trainings) == 1 else "Heads were not all trained alike (see the notes)"
    return (
        f"{sources}: {count(data.validate_videos)} validation videos, {count(data.num_classes)} classes, "
        f"fingerprint {data.fingerprint[:12]}. {heads}."
    )


def _training(row: Row) -> str:
    how = row.head_training
    return (
        f"Head of each row: {row.head}, trained on {count(row.data.train_videos)} videos, "
        f"{size(how.epochs)} epochs, batch {count(how.batch_size)}, seed {how.seed}"
    )


def warnings(table: Table4) -> list[str]:
    """What a reader must know before believing the table; empty when there is nothing."""
    rows = [row for _, row in table.measured]
    found = [_synthetic(rows), _missing_baseline(table), _larger_than_8_bits(table), *_equal_control(table)]
    found.append(_differing(rows, "heads were trained differently", _training))
    return [text for text in found if text]


def _synthetic(rows: list[Row]) -> str:
    names = [row.row for row in rows if row.data.synthetic_frames]
    if not names:
        return ""
    return (
        f"Synthetic frames: {listed(names)} saw frames made up from video-level means, not real ones; "
        "the figures show that the pipeline runs, not what the model can do."
    )


def _missing_baseline(table: Table4) -> str:
    return "" if table.baseline else "The original features were not measured: no size saved, no band in the plots."


def _larger_than_8_bits(table: Table4) -> str:
    small = next((row for _, row in table.measured if row.codec == "int8" and row.role == "control"), None)
    line = subject(table)
    if small is None or table.baseline is None or line is None or line.row is None:
        return ""
    if small.dim != table.baseline.dim or line.row.bytes_per_video <= small.bytes_per_video:
        return ""
    return (
        f"Bytes are not dimensions: the original in 8 bits takes {small.bytes_per_video} bytes a video at GAP "
        f"{figure(small.figures.gap.value)}, fewer than the {line.row.bytes_per_video} of {line.row.row}."
    )


def _equal_control(table: Table4) -> list[str]:
    """Trained encoders that a simple control of the same size equals or beats on GAP."""
    line = subject(table)
    if line is None or line.row is None:
        return []
    row, found = line.row, []
    for _, other in table.measured:
        if other.role == "control" and other.bytes_per_video <= row.bytes_per_video and other.dim <= row.dim:
            gain = other.figures.gap.value - row.figures.gap.value
            if gain >= 0:
                found.append(
                    f"A simpler row does as well: {other.row} has {points(gain)} points of GAP over {row.row} "
                    "(point estimates; no paired interval between these two)."
                )
    return found


def _differing(rows: list[Row], what: str, key: Callable[[Row], Hashable]) -> str:
    groups: dict[Hashable, list[str]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row.row)
    if len(groups) == 1:
        return ""
    described = "; ".join(f"{listed(names)}: {key.partition(': ')[2]}" for key, names in groups.items() if isinstance(key, str))
    return f"Not like with like: {what} ({described})."
