"""The charts of classes: average precision by the number of training videos, and the Zipf curve."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from compress.metrics import Interval
from compress.reports import drawing
from compress.reports.charts import (
    BASELINE,
    CONTROL,
    SERIES,
    Mark,
    axes_of,
    chart_of,
    ends_of,
)
from compress.reports.classes.frequency import Bin, BinnedRow, ClassFrequency, Mean, frequency_caption
from compress.reports.classes.sections import ClassFindings
from compress.reports.classes.zipf import Zipf, zipf_caption
from compress.reports.document import Chart, Figure, Key
from compress.reports.drawing import Box, Place
from compress.reports.rounding import DELTA, bracket, count, figure, points, points_bracket, signed
from compress.reports.svg import Look, colours, legend_mark

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

LONGEST = 28  # characters of a class name on the chart; the words of its mark have all of it


def looks(found: ClassFrequency) -> list[tuple[BinnedRow, Look]]:
    """How each row looks, for the charts and their legend; of more than three encoders two look alike."""
    result, encoders = [], 0
    for row in found.rows:
        if row.name == found.baseline:
            result.append((row, BASELINE))
        elif row.role == "encoder":
            result.append((row, SERIES[encoders % len(SERIES)]))
            encoders += 1
        else:
            result.append((row, CONTROL))
    return result


def frequency_charts(found: ClassFrequency) -> list[Chart]:
    """Mean average precision by bin and, when there is a baseline, the differences from it."""
    across, groups = "training videos of the class, from and to", [_ends(one) for one in found.bins]
    level = [
        [_mark(row, look, *one) for one in zip(found.bins, row.values, strict=True)]
        for row, look in looks(found)
    ]
    title = "Mean average precision against the number of training videos of the class"
    charts = [series_chart(level, groups, title=title, across=across, upwards="mean average precision (AP)")]
    change = [
        [_mark(row, look, *one, difference=True) for one in zip(found.bins, row.delta, strict=True)]
        for row, look in looks(found)
        if row.delta is not None
    ]
    if change:
        title = f"Difference in mean average precision from {found.baseline}, in points"
        upwards = f"{DELTA} mean AP, points"
        charts.append(
            series_chart(change, groups, title=title, across=across, upwards=upwards, differences=True)
        )
    return charts


def _ends(one: Bin) -> str:
    """The ends of a bin below each other: on a phone there is no room for them on one line."""
    if one.high is None:
        return f"{one.low}\nor more"
    return str(one.low) if one.low == one.high else f"{one.low}\n{one.high}"


def _mark(row: BinnedRow, look: Look, one: Bin, mean: Mean, difference: bool = False) -> Mark:
    factor, tell, ends = (100, points, points_bracket) if difference else (1, figure, bracket)
    low, high = (mean.value if end is None else end for end in (mean.low, mean.high))
    words = f"{row.name}, {one.name} training videos ({count(one.classes)} classes): {tell(mean.value)}"
    words += f" {ends(mean.interval)}" if mean.interval else ""
    return Mark(row.name, Interval(factor * mean.value, factor * low, factor * high), look, words)


def zipf_chart(train: Zipf, validation: Zipf, names: Mapping[int, str]) -> Chart:
    """Videos of each class against its rank, both axes logarithmic.

    Validation videos are ranked on their own; a class without a name is marked without one.
    """
    marks = []
    for rank, number in train.named:
        videos, name = train.counts[rank - 1], names.get(number, "")
        short = name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
        words = f"{name} (rank {count(rank)}): {count(videos)} videos".lstrip()
        marks.append(Mark(short, Interval(videos, videos, videos), SERIES[0], words, rank))
    fitted = _fitted(train)

    def plot(figure: Canvas) -> None:
        axes = axes_of(figure, "rank of the class (log scale)", "videos of the class (log scale)", left=58)
        axes.set_xscale("log")
        axes.set_yscale("log")
        ranks, counts = (max(place[i] for place in (*train.steps, *validation.steps)) for i in (0, 1))
        axes.set_xlim(1, max(ranks, 2) * 1.15)
        axes.set_ylim(0.8, max(counts, 2) * 1.5)
        for axis, most in ((axes.xaxis, ranks), (axes.yaxis, counts)):
            drawing.log_ticks(axis, [10**power for power in range(math.floor(math.log10(most)) + 1)])
        obstacles = []
        if fitted:
            axes.plot(*zip(*fitted, strict=True), color=colours()["muted"], linewidth=1, dashes=(5, 4))
        for path, colour, width in ((validation.steps, "muted", 1.0), (train.steps, "encoder", 1.8)):
            axes.plot(*zip(*path, strict=True), color=colours()[colour], linewidth=width)
            obstacles += drawing.boxes(axes, path)
        for mark in marks:
            drawing.point(axes, mark.x, mark.value.value, mark.look, mark.words)
            x, y = drawing.pixels(axes, (mark.x, mark.value.value))
            obstacles.append(Box(x - 6, y - 6, 12, 12))
        named = [(m.name, drawing.pixels(axes, (m.x, m.value.value)), "text") for m in marks if m.name]
        drawing.name_points(axes, named, obstacles)

    description = (
        f"Training videos of the class {'; '.join(mark.words for mark in marks)}. "
        f"Slope {signed(train.slope)}. Most validation videos of a class: {count(validation.counts[0])}."
    )
    return chart_of(plot, marks, "Videos of each class against the rank of the class", 400, 380, description)


def _fitted(train: Zipf) -> list[Place]:
    """The least-squares line, as far as it lies within the range of the curve."""
    if train.slope == 0:
        return []
    # Where it reaches the highest and the lowest count of the curve.
    ends = sorted(
        min(max(10 ** ((level - train.intercept) / train.slope), 1), len(train.counts))
        for level in (math.log10(train.counts[0] * 1.3), math.log10(train.counts[-1]))
    )
    return [(rank, 10 ** (train.intercept + train.slope * math.log10(rank))) for rank in ends]


def frequency_figure(found: ClassFrequency) -> Figure | None:
    """The charts by bin with caption and legend; None for one bin, which is no curve."""
    if len(found.bins) < 2:
        return None
    legend = tuple(Key(row.title, legend_mark(look), row.name) for row, look in looks(found))
    return Figure(tuple(frequency_charts(found)), frequency_caption(found), legend)


def zipf_figure(found: ClassFindings) -> Figure:
    """The Zipf curve with its caption."""
    chart = zipf_chart(found.train, found.validation, found.names)
    return Figure((chart,), zipf_caption(found.train, found.validation))


def series_chart(
    series: Sequence[Sequence[Mark]],
    groups: Sequence[str],
    *,
    title: str,
    across: str,
    upwards: str,
    differences: bool = False,
) -> Chart:
    """Several series side by side over groups, each series with one mark per group."""
    marks = [mark for one in series for mark in one]
    ends = [0.0, *ends_of(marks)]

    def plot(figure: Canvas) -> None:
        axes = axes_of(figure, across, upwards, bottom=64)
        low, high = drawing.limits(ends, 0.05, 0.1 if differences else 0.002)
        axes.set_ylim(low if differences else 0, high)
        axes.set_xlim(-0.5, len(groups) - 0.5)
        drawing.ticks(axes.yaxis, 8, signed=differences)
        axes.set_xticks(range(len(groups)), groups)
        if differences:
            axes.axhline(0, color=colours()["ink"], linewidth=1.2)
        pitch = axes.get_window_extent().width / len(groups)
        between = min(8.0, 0.62 * pitch / max(len(series) - 1, 1)) / pitch
        for number, one in enumerate(series):
            x = [group + (number - (len(series) - 1) / 2) * between for group in range(len(groups))]
            colour = colours()[one[0].look.colour]
            axes.plot(x, [mark.value.value for mark in one], color=colour, linewidth=1, alpha=0.6)
            for place, mark in zip(x, one, strict=True):
                drawing.bar(axes, (place, place), (mark.value.low, mark.value.high), mark.look, mark.words)
                drawing.point(axes, place, mark.value.value, mark.look, mark.words)

    return chart_of(plot, marks, title, 400, 380)
