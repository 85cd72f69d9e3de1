"""What the report says in words: the headline, what was measured on, how to read it."""

from __future__ import annotations

from compress.evaluation.row import Row
from compress.metrics import Interval
from compress.reports.table_4.table import Line, Table4
from compress.reports.table_4.verdict import Verdict
from compress.reports.wording import DELTA, MINUS, article, blended, count, figure, listed, percent, size

METHOD = (
    "GAP, PERR and Hit@1 are those of the YouTube-8M evaluation code, on the 20 highest scores a video. MAP "
    "skips classes without positives; the paper's MAP counts them as 0 (ours in that variant: MAP with empty "
    "as 0).",
    f"Intervals are 95 % bootstrap intervals over the validation videos. A difference ({DELTA}) is row minus "
    "baseline on the same resampled videos (paired), in points: 1 point is 0.01.",
    "Intervals cover which videos were drawn. They do not cover the training seed: training again with "
    "another seed moves a row too.",
    "Verdict: holds when the whole interval of the difference is at or above 0; within noise when it reaches "
    "below 0 but not all of it; falls short when all of it is below 0. MAP has its own verdict, because the "
    "paper's 320-d model held GAP and lost MAP (0.418 against 0.466).",
    f"Saved is (original {MINUS} row) / original, in dimensions (as the paper counts) and in stored bytes a "
    "video.",
    "The paper's figures are single runs on the full data set (3.84 million training videos), with the head "
    "trained jointly; ours come from a head trained afresh on the stored embeddings. Compare differences, "
    "not levels.",
)

SAMPLE_NOTE = "Sample data: the videos are invented, so the figures only show that everything works."
"""The note of every row that was measured on invented videos."""


def headline(table: Table4) -> str:
    """One sentence about the smallest measured row of the paper's table (else the smallest other encoder).

    Where the videos are invented it begins with that.
    """
    sentence = _sentence(table)
    if not any(SAMPLE_NOTE in row.notes for _, row in table.measured):
        return sentence
    return f"On invented videos (sample data), {sentence[0].lower()}{sentence[1:]}"


def _sentence(table: Table4) -> str:
    line = subject(table)
    if line is None or line.row is None:
        return "No embedding has been measured yet"
    row, original = line.row, table.baseline
    frames = " (of synthetic frames)" if row.data.synthetic_frames else ""
    what = f"{article(row.dim)} {row.dim}-d embedding{frames}"
    if original is None:
        return f"{what} reaches GAP {figure(row.figures.gap.value)}; the original was not measured"
    noise = " (within noise)" if line.gap_verdict is Verdict.WITHIN_NOISE else ""
    only = "only " if line.gap_verdict is Verdict.FALLS_SHORT else ""
    kept = _kept(row.figures.gap, original.figures.gap)
    share = percent(row.bytes_per_video / original.bytes_per_video)
    return f"{what} keeps {only}{kept} of GAP{noise} at {share} of the bytes{_map_clause(line, original)}"


def _kept(figure: Interval, original: Interval) -> str:
    return f"{100 * figure.value / original.value:.1f} %" if original.value else "an unknown share"


def _map_clause(line: Line, original: Row) -> str:
    if line.row is None or line.map_verdict is not Verdict.FALLS_SHORT:
        return ""
    joint = "and" if line.gap_verdict is Verdict.FALLS_SHORT else "but"
    return f", {joint} {_kept(line.row.figures.map, original.figures.map)} of MAP"


def subject(table: Table4) -> Line | None:
    """The line that the headline is about."""
    for lines in (table.paper, table.others):
        found = [line for line in lines if line.row is not None]
        if found:
            return min(found, key=lambda line: (line.dim, -(line.row.bytes_per_video if line.row else 0)))
    return None


def frames_needed(line: Line) -> str:
    """What the command of a row that was not run needs besides video-level shards; "" where nothing."""
    if line.row is not None or line.published is None or line.published.level != "frame":
        return ""
    return (
        " (needs frame-level shards: `compress init --train-frames`; without real ones, "
        "`compress data sample --from` makes synthetic ones)"
    )


def data_line(table: Table4) -> str:
    """What all rows were measured on: data, videos, classes, seeds."""
    rows = [row for _, row in table.measured]
    data = rows[0].data
    sources = listed(sorted({row.data.source for row in rows}))
    trainings = {training(row) for row in rows}
    heads = trainings.pop() if len(trainings) == 1 else "not all trained alike, see below"
    return (
        f"{sources}: {count(data.validate_videos)} validation videos, {count(data.num_classes)} classes, "
        f"fingerprint {data.fingerprint[:12]}. Head of each row: {heads}."
    )


def training(row: Row) -> str:
    """How the head of a row was trained, in one clause; equal for rows that compare."""
    how = row.head_training
    return (
        f"{row.head}, trained on {count(row.data.train_videos)} videos, "
        f"{size(how.epochs)} epochs, batch {count(how.batch_size)}{blended(how)}, seed {how.seed}"
    )
