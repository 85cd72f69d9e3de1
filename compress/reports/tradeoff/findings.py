"""The trade-off in words: the headline, what was measured on, cautions, how to read it."""

from __future__ import annotations

from collections.abc import Iterator

from compress.evaluation.judges.names import title_of
from compress.evaluation.verdicts import Verdict, judge
from compress.metrics import Interval
from compress.reports.rounding import DELTA, count, listed, points, points_bracket
from compress.reports.tradeoff.table import Point, TradeoffTable

COMPARED = ("gap", "map")
"""The metrics of the headline, and those that are compared with what needs no training."""

METHOD = (
    "Every point is a store of embeddings. Its bytes per video are counted exactly. Its GAP (global "
    "average precision of the 20 highest scores per video) and MAP (mean average precision over classes; "
    "classes without positives are skipped) are those of its best judge. The judges are classifiers that "
    "see nothing but the decoded codes. Each chooses its settings and ends its training on training "
    "videos that are set aside, and the one with the highest GAP there is the best judge of the point; it "
    "is compared with the best judge of the baseline. Label precision@10 is the share of the 10 nearest "
    "training videos that share a label with a validation video.",
    "The validation videos are split into two halves by a hash of their ids. Figures are from the "
    "confirmation half unless stated otherwise. Whatever is chosen by its figures, such as the best baseline "
    "of equal or smaller size, is chosen on the selection half, so that the figures shown had no part in the "
    "choice.",
    f"A difference ({DELTA}) is point minus baseline in points (1 point is 0.01), with its 95 % bootstrap "
    "interval, paired: both on the same resampled videos. With several seeds the figures are averaged, "
    "also within each resample, and the intervals cover the seeds as well; with one seed they are about "
    "videos only. Intervals of MAP are somewhat too narrow where many classes are rare; `compress select` "
    "has more careful bounds.",
    "An encoder whose epoch was chosen by its GAP on the validation videos (its notes, in the JSON file, say "
    "so) has a small advantage on both halves; stores that need no training have none.",
    "Over untrained: point minus the best store of equal or smaller size that needs no training (the "
    "original in a codec, PCA, a random projection).",
    "Lines are steps: a byte budget between two sizes pays for the smaller one.",
)


def subject(table: TradeoffTable) -> Point | None:
    """The smallest trained point that keeps GAP, or else the best one; chosen on the selection half."""
    learned = [
        p for p in table.points if p.role == "encoder" and "gap" in p.confirmation.delta and not p.doubt
    ]
    holding = [point for point in learned if judge(point.selection.delta["gap"]) is Verdict.HOLDS]
    best = max(learned, key=lambda p: p.selection.delta["gap"].value, default=None)
    return holding[0] if holding else best


def headline(table: TradeoffTable) -> str:
    """One sentence about the subject, with figures of the confirmation half."""
    point = subject(table)
    if point is None:
        doubts = [point.doubt for point in table.points if point.doubt]
        return f"No verdict: {doubts[0]}" if doubts else "No trained embedding has been measured yet"
    gap, mean = (told(point.confirmation.delta[metric]) for metric in COMPARED)
    bytes_per_video = f"{count(point.bytes_per_video)} bytes per video, {smaller(table, point)} times smaller"
    worst = point.worst("gap")
    under = f"; GAP {told(worst[1])} under its worst judge, {title_of(worst[0])}" if worst else ""
    return f"{bytes_per_video}: GAP {gap} points, MAP {mean}{under}"


def measured_on(table: TradeoffTable) -> str:
    """What everything was measured on."""
    data, base = table.data, table.baseline
    return (
        f"{data.source}: {count(base.confirmation.videos)} validation videos in the confirmation half, "
        f"{count(base.selection.videos)} in the selection half, {count(data.num_classes)} classes. How "
        f"each point was judged: {table.judged}. Baseline: {base.name}, {count(base.bytes_per_video)} "
        f"bytes per video, {seeds_of(base)}."
    )


def told(found: Interval) -> str:
    """A difference in points with its interval: +0.80 [+0.21, +1.39]."""
    return f"{points(found.value)} {points_bracket(found)}"


def smaller(table: TradeoffTable, point: Point) -> str:
    ratio = table.baseline.bytes_per_video / point.bytes_per_video
    return f"{ratio:.3g}" if ratio < 1000 else count(round(ratio))


def seeds_of(point: Point) -> str:
    """How often a point was measured: 3 seeds, on 3 encoders."""
    trained = f" on {point.encoders} encoders" if point.encoders > 1 else ""
    return f"{point.heads} seed{'' if point.heads == 1 else 's'}{trained}"


def doubts(table: TradeoffTable) -> Iterator[str]:
    """The points whose figures are not final, by reason."""
    names: dict[str, list[str]] = {}
    for point in table.points:
        if point.doubt:
            names.setdefault(point.doubt, []).append(point.name)
    for why, points_of in names.items():
        yield f"No verdict on {listed(points_of)}: {why}."
