"""Table 4 in words: the headline, what was measured on, cautions, how to read it."""

from __future__ import annotations

from collections.abc import Iterator

from compress.evaluation.row import Row
from compress.evaluation.verdicts import UNSEEN, Verdict, commands_for_verdicts
from compress.metrics import Interval
from compress.reports.cautions import SAMPLE_NOTE, few_videos_to_judge_by, not_alike, synthetic_frames
from compress.reports.panel import panel_in_words
from compress.reports.rounding import (
    DELTA,
    MINUS,
    article,
    count,
    figure,
    listed,
    percent,
    points,
)
from compress.reports.table_4.judges import disagreement
from compress.reports.table_4.table import Line, Table4

METHOD = (
    "GAP is global average precision, MAP mean average precision over classes, PERR precision at equal "
    "recall rate, Hit@1 the share of videos whose highest score is a label. GAP, PERR and Hit@1 follow the "
    "YouTube-8M evaluation code, on the 20 highest scores per video. MAP skips classes without positives; "
    "MAP with empty as 0 counts them as 0.",
    "Each row is judged by a panel of classifiers that see nothing but the stored embeddings: a mixture "
    "of experts, logistic regression, a network of one hidden layer, ridge regression, and k nearest "
    "neighbours. What is found in an embedding depends on who looks.",
    "A part of the training videos is set aside. There each judge chooses its settings, and there its "
    "training ends when GAP stops rising, for every row by the same rule. The judge with the highest GAP "
    "on those videos is the best judge of the row: its figures are the row's. Nothing is chosen on the "
    "validation videos, whose figures are reported.",
    "The verdict compares the best judge of the row with the best judge of the baseline. Where one of "
    "them has not converged there is no verdict. The table of the judges tells what each one says, and "
    "the headline names those that disagree.",
    f"Intervals are 95 %. A difference ({DELTA}) is row minus baseline on the same resampled validation "
    "videos (paired bootstrap), in points: 1 point is 0.01. A judge that is the mean of several heads has "
    "intervals that cover their seeds as well; otherwise they say: videos only. No interval covers the "
    "seed of the encoder, or another draw of training videos.",
    "Verdict: holds when the whole interval of the difference is at or above 0; within noise when it "
    "contains 0 and values below 0; falls short when all of it is below 0. MAP has a verdict of its own: "
    "rare classes count as much as frequent ones there.",
    f"Saved is (original {MINUS} row) / original, in dimensions and in stored bytes per video.",
)
METHOD_BESIDE_THE_PAPER = (
    "The paper's figures are single runs on the full data set (3.84 million training videos), with the "
    "head trained jointly; ours come from judges that learn from the stored embeddings. Compare "
    "differences, not levels. The paper's MAP counts classes without positives as 0, and its 320-d model "
    "held GAP and lost MAP (0.418 against 0.466).",
)


def method(*, paper: bool) -> tuple[str, ...]:
    """How to read the table; `paper`: with the paper's figures."""
    return METHOD + (METHOD_BESIDE_THE_PAPER if paper else ())


def headline(table: Table4) -> str:
    """One sentence about the table's subject; where the videos are invented it begins with that."""
    sentence = _sentence(table)
    if not any(SAMPLE_NOTE in row.notes for _, row in table.measured):
        return sentence
    return f"On invented videos (sample data), {sentence[0].lower()}{sentence[1:]}"


def _sentence(table: Table4) -> str:
    if table.subject is None:
        return "No embedding has been measured yet"
    (line, row), original = table.subject, table.baseline
    frames = " (of synthetic frames)" if row.data.synthetic_frames else ""
    what = f"{article(row.dim)} {row.dim}-d embedding{frames}"
    if original is None:
        return f"{what} reaches GAP {figure(row.figures.gap.value)}; the original was not measured"
    if doubt := line.doubt:
        share = percent(row.bytes_per_video / original.bytes_per_video)
        return f"No verdict on {what[0].lower()}{what[1:]} at {share} of the bytes: {doubt}"
    noise = " (within noise)" if line.verdict("gap") is Verdict.WITHIN_NOISE else ""
    only = "only " if line.verdict("gap") is Verdict.FALLS_SHORT else ""
    kept = _kept(row.figures.gap, original.figures.gap)
    share = percent(row.bytes_per_video / original.bytes_per_video)
    sentence = f"{what} keeps {only}{kept} of GAP{noise} at {share} of the bytes"
    if line.verdict("map") is Verdict.FALLS_SHORT:
        sentence += f", {'and' if only else 'but'} {_kept(row.figures.map, original.figures.map)} of MAP"
    others = disagreement(line, "gap")
    return sentence + (f"; other judges disagree: {others} of GAP" if others else "")


def _kept(found: Interval, original: Interval) -> str:
    return f"{100 * found.value / original.value:.1f} %" if original.value else "an unknown share"


def frames_needed(line: Line) -> str:
    """What the command of a row that was not run needs besides video-level shards; "" where nothing."""
    if line.row is not None or line.published is None or line.published.level != "frame":
        return ""
    return (
        "needs frame-level shards: `compress init --train-frames`; without real ones, "
        "`compress data sample --from` makes synthetic ones"
    )


def measured_on(table: Table4) -> str:
    """What all rows were measured on: data, videos, classes, seeds."""
    rows = [row for _, row in table.measured]
    data = rows[0].data
    sources = listed(sorted({row.data.source for row in rows}))
    trainings = {panel_in_words(row) for row in rows}
    how = trainings.pop() if len(trainings) == 1 else "not all alike, see below"
    return (
        f"{sources}: {count(data.validate_videos)} validation videos, {count(data.num_classes)} classes, "
        f"fingerprint {data.fingerprint[:12]}. How each row was judged: {how}."
    )


def cautions(table: Table4) -> list[str]:
    """Sentences about these rows, each a reason to read the table with care; empty when there is none."""
    rows = [row for _, row in table.measured]
    trainings: dict[str, list[str]] = {}
    for row in rows:
        trainings.setdefault(panel_in_words(row), []).append(row.row)
    found = [
        SAMPLE_NOTE if any(SAMPLE_NOTE in row.notes for row in rows) else "",
        synthetic_frames(
            [row.row for row in rows if row.data.synthetic_frames],
            rows=len(rows),
            shown="the figures show that the pipeline runs, not what the model can do.",
        ),
        *_doubtful(table),
        few_videos_to_judge_by(row.data.train_videos for row in rows if row.converged),
        "" if table.baseline else "The original was not measured: no size saved, no band in the charts.",
        _larger_than_8_bits(table),
        *_equal_controls(table),
        not_alike(trainings, "they were judged differently"),
        *table.failures,
    ]
    return [text for text in found if text]


def _doubtful(table: Table4) -> Iterator[str]:
    """Rows without a verdict and rows of older versions, each kind with the command that measures them."""
    baseline = table.baseline
    if baseline is None:
        return
    kinds: dict[str, list[Row]] = {}
    for line, row in table.measured:
        if line.verdict("gap") is Verdict.NOT_CONVERGED:
            kinds.setdefault("No verdict, because a judge has not converged", []).append(row)
        elif not row.judges:
            what = "Older measurements, whose head was trained for a fixed number of epochs, converged or not"
            kinds.setdefault(what, []).append(row)
        elif line.verdict("gap") is Verdict.MEASURE_AGAIN:
            kinds.setdefault("No verdict, because the baseline was measured otherwise since", []).append(row)
        elif line.verdict("gap") is Verdict.CHOSEN_ON_SEEN:
            what = f"No verdict, as judges chose on videos that the encoder has seen (train with `{UNSEEN}`)"
            kinds.setdefault(what, []).append(row)
    for what, rows in kinds.items():
        names = listed([row.row for row in rows])
        yield f"{what}: {names}. To measure again: `{commands_for_verdicts(rows, baseline)}`."


def _larger_than_8_bits(table: Table4) -> str:
    if table.subject is None or table.baseline is None:
        return ""
    row = table.subject[1]
    for _, small in table.measured:
        plain = small.role == "control" and small.codec == "int8" and small.dim == table.baseline.dim
        if plain and small.bytes_per_video < row.bytes_per_video:
            return (
                f"Fewer dimensions are not always fewer bytes: the original in 8 bits takes "
                f"{count(small.bytes_per_video)} bytes per video at GAP {figure(small.figures.gap.value)}, "
                f"fewer than the {count(row.bytes_per_video)} of {row.row}."
            )
    return ""


def _equal_controls(table: Table4) -> list[str]:
    """Controls of the same size or smaller that reach the GAP of the headline's row."""
    if table.subject is None:
        return []
    row = table.subject[1]
    return [
        f"A simpler row does as well: {other.row} has {points(gain)} points of GAP over {row.row} "
        "(point estimates; no paired interval between these two)."
        for _, other in table.measured
        if other.role == "control" and other.dim <= row.dim and other.bytes_per_video <= row.bytes_per_video
        if (gain := other.figures.gap.value - row.figures.gap.value) >= 0
    ]
