"""The charts of the trade-off: each metric against bytes per video, a stepped line for each family."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compress.metrics import Interval
from compress.reports.charts import BASELINE, SERIES, Line, Mark, front, scatter
from compress.reports.document import Chart
from compress.reports.rounding import bracket, figure
from compress.reports.svg import Look
from compress.reports.tradeoff.measured import NAMES
from compress.reports.tradeoff.table import Point, TradeoffTable

CAPTION = (
    "On the confirmation half. A stepped line in colour joins the best points of one family; the line in the "
    "colour of the text joins those that no other point of any family beats, named by their dimensions and "
    "codec. Bars are the 95 % interval of each trained point alone (paired differences are narrower), the "
    "band is the baseline's. What needs no training and lies far below is drawn at the lower edge."
)
SHAPES = {"PCA": "D", "random projection": "o"}
WAY_BELOW = 0.6
"""Controls further below the trained points than this part of their range are drawn at the lower edge."""


def charts(table: TradeoffTable) -> list[Chart]:
    """A chart for each metric that at least one point has, in reading order."""
    known = [m for m in NAMES if any(m in point.confirmation.figures for point in table.points)]
    return [chart(table, metric) for metric in known]


def chart(table: TradeoffTable, metric: str) -> Chart:
    """One metric of `NAMES` against bytes per video."""
    families = _families(table.points)
    order = list(families)
    found = {
        point.name: _mark(point, metric, families[point.family])
        for point in sorted(table.points, key=lambda point: order.index(point.family))
        if metric in point.confirmation.figures
    }
    lines, ends = [], []
    for family, look in families.items():
        points = [point for point in table.points if point.family == family and point.name in found]
        if not points:
            continue
        places = [(p.bytes_per_video, p.confirmation.figures[metric].value) for p in points]
        best = [points[i] for i in front(places)]
        lines.append(Line(tuple(found[point.name] for point in best), look.colour))
        # What was trained begins further to the left than others; what was not ends below it to the right.
        end = best[0 if any(p.role == "encoder" for p in points) else -1]
        ends.append((family, found[end.name]))
    overall = [(f"{point.dim} {point.codec}", found[point.name]) for point in table.front(metric)]
    return scatter(
        list(found.values()),
        title=f"{NAMES[metric]} against bytes per video",
        across="bytes per video (log scale)",
        upwards=NAMES[metric],
        of_bytes=True,
        band=table.baseline.confirmation.figures.get(metric),
        lines=[*lines, Line(tuple(mark for _, mark in overall), "ink", to_edge=True)],
        labels=[*ends, *overall],
        floor=_floor(table.points, metric),
    )


def _families(points: Sequence[Point]) -> dict[str, Look]:
    """How each family looks; controls first, so that what was trained is drawn above them."""
    learned = sorted({point.family for point in points if point.role == "encoder"})
    others = sorted({point.family for point in points} - set(learned))
    baseline = {point.family for point in points if point.role == "baseline"}
    looks = {
        family: BASELINE if family in baseline else Look("control", SHAPES.get(family, "s"), hollow=True)
        for family in others
    }
    return looks | {family: SERIES[i % len(SERIES)] for i, family in enumerate(learned)}


def _mark(point: Point, metric: str, look: Look) -> Mark:
    value = point.confirmation.figures[metric]
    words = f"{point.name}: {point.bytes_per_video:,} bytes, {figure(value.value)} {bracket(value)}"
    # Many controls stand close together: their intervals are in the words alone.
    drawn = Interval(value.value, value.value, value.value) if point.role == "control" else value
    return Mark(point.name, drawn, look, words, point.bytes_per_video)


def _floor(points: Iterable[Point], metric: str) -> float:
    """The lowest figure that has a place of its own."""
    known = [point for point in points if metric in point.confirmation.figures]
    figures = [point.confirmation.figures[metric] for point in known]
    important = [p.confirmation.figures[metric] for p in known if p.role != "control"] or figures
    high = max(max(one.high, one.value) for one in figures)
    least = min(min(one.low, one.value) for one in important)
    return least - max(WAY_BELOW * (high - least), 0.02)
