"""Average precision of rare and of frequent classes, and what each row loses in each bin of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compress.errors import NotFoundError
from compress.reports.classes.frequency import Bin, BinnedRow, ClassFrequency, Mean
from compress.reports.plots.axis import Frame, Scale, decimals, linear, round_ticks, values_between
from compress.reports.plots.svg import Drawing
from compress.reports.wording import DELTA, MINUS, count, figure, points

# Shape and CSS class; one row of each kind but encoders, of which three can be told apart.
ENCODERS = (("circle", "encoder"), ("square", "second"), ("circle", "third"))
OTHERS = {"baseline": ("square", "baseline"), "control": ("diamond", "control")}
TICKS = 8
SPREAD, STEP = 0.62, 8.0  # rows of one bin side by side: share of the bin's width, most units between two


@dataclass(frozen=True)
class Series:
    """One row with its mark; `means` are what is drawn, `scale` 1 or, for points, 100."""

    row: BinnedRow
    shape: str
    style: str
    means: tuple[Mean, ...]


def marks(found: ClassFrequency) -> list[tuple[BinnedRow, str, str]]:
    """Each row with the shape and the CSS class of its mark, for the plots and their legend."""
    result, encoders = [], 0
    for row in found.rows:
        if row.role == "encoder" and row.name != found.baseline:
            shape, style = ENCODERS[encoders % len(ENCODERS)]
            encoders += 1
        else:
            shape, style = OTHERS["baseline" if row.name == found.baseline else "control"]
        result.append((row, shape, style))
    return result


def frequency_plot(
    found: ClassFrequency, *, differences: bool, width: float, height: float, name: str
) -> str:
    """The plot as an inline SVG.

    Args:
        found: bins and rows; of more than three encoders two look alike.
        differences: draw the differences from the baseline, in points; else the means themselves.
        width, height: of the drawing, in units of one CSS pixel at full size.
        name: makes the ids in the page unique.

    Raises:
        NotFoundError: no row has a difference.
    """
    series = _series(found, differences)
    if not series:
        raise NotFoundError("no row was compared with the baseline", hint="`compress evaluate` compares rows")
    frame = Frame(left=48, top=28, right=width - 6, bottom=height - 62)
    title = f"{_quantity(found, differences)} against the number of training videos of the class"
    drawing = Drawing(width, height, title=title, description=_described(found, series), name=name)
    y = _scale(series, differences, frame)
    _axes(drawing, found.bins, differences, frame, y)
    factor = 100 if differences else 1
    for i, one in enumerate(series):
        _draw(drawing, one, found.bins, _places(i, len(series), found.bins, frame), y, factor)
    return drawing.render()


def _quantity(found: ClassFrequency, differences: bool) -> str:
    if not differences:
        return "Mean AP"
    return f"Difference in mean average precision from {found.baseline}, in points,"


def _series(found: ClassFrequency, differences: bool) -> list[Series]:
    picked = [
        (row, shape, style, row.delta if differences else row.values) for row, shape, style in marks(found)
    ]
    return [Series(row, shape, style, means) for row, shape, style, means in picked if means is not None]


def _described(found: ClassFrequency, series: Sequence[Series]) -> str:
    def told(one: Series) -> str:
        write = points if one.means is one.row.delta else figure
        pairs = zip(found.bins, one.means, strict=True)
        return ", ".join(f"{place.name} videos {write(mean.value)}" for place, mean in pairs)

    return "; ".join(f"{one.row.name}: {told(one)}" for one in series)


def _scale(series: Sequence[Series], differences: bool, frame: Frame) -> Scale:
    means = [mean for one in series for mean in one.means]
    ends = [end for mean in means for end in (mean.low, mean.high, mean.value) if end is not None]
    factor = 100 if differences else 1
    low, high = factor * min(0.0, *ends), factor * max(0.0, *ends)
    air = max(0.04 * (high - low), 0.1 if differences else 0.002)
    return linear(low - (air if differences else 0), high + air, frame.bottom, frame.top)


def _axes(drawing: Drawing, bins: Sequence[Bin], differences: bool, frame: Frame, y: Scale) -> None:
    ticks = round_ticks(*values_between(y, frame.bottom, frame.top), TICKS)
    for value in ticks:
        style = "zero" if value == 0 and differences else "grid"
        drawing.line(frame.left, y(value), frame.right, y(value), style)
        drawing.text(frame.left - 7, y(value) + 4, _tick(value, ticks, differences), "tick", "end")
    drawing.line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    pitch = (frame.right - frame.left) / len(bins)
    for i, one_bin in enumerate(bins):
        middle = frame.left + (i + 0.5) * pitch
        if i:
            edge = frame.left + i * pitch
            drawing.line(edge, frame.bottom, edge, frame.bottom + 5, "axis")
        for line, text in enumerate(_lines(one_bin)):
            drawing.text(middle, frame.bottom + 18 + 14 * line, text, "tick", "middle")
    middle = (frame.left + frame.right) / 2
    drawing.text(middle, frame.bottom + 55, "training videos of the class, from and to", "name", "middle")
    drawing.text(0, 11, f"{DELTA} mean AP, points" if differences else "mean AP", "name")


def _tick(value: float, ticks: list[float], differences: bool) -> str:
    if differences and value > 0:
        return f"+{value:.{decimals(ticks)}f}"
    return f"{value + 0.0:.{decimals(ticks)}f}".replace("-", MINUS)


def _lines(one: Bin) -> tuple[str, ...]:
    """The ends of a bin below each other: on a phone there is no room for them on one line."""
    if one.high is None:
        return str(one.low), "up"
    return (str(one.low),) if one.low == one.high else (str(one.low), str(one.high))


def _places(index: int, of: int, bins: Sequence[Bin], frame: Frame) -> list[float]:
    pitch = (frame.right - frame.left) / len(bins)
    shift = (index - (of - 1) / 2) * min(STEP, SPREAD * pitch / max(of - 1, 1))
    return [frame.left + (i + 0.5) * pitch + shift for i in range(len(bins))]


def _draw(
    drawing: Drawing, one: Series, bins: Sequence[Bin], places: list[float], y: Scale, factor: float
) -> None:
    write = points if factor == 100 else figure
    drawing.polyline(
        [(x, y(factor * mean.value)) for x, mean in zip(places, one.means, strict=True)],
        f"series {one.style}",
    )
    for x, mean in zip(places, one.means, strict=True):
        if mean.interval is not None:
            ends = y(factor * mean.interval.low), y(factor * mean.interval.high)
            drawing.line(x, ends[0], x, ends[1], f"bar {one.style}")
    for x, mean, place in zip(places, one.means, bins, strict=True):
        hint = f"{one.row.title}, {place.name} training videos ({count(place.classes)} classes): "
        drawing.marker(x, y(factor * mean.value), one.shape, f"mark {one.style}", hint + write(mean.value))
