"""The Zipf plot: training videos of each class against its rank, both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from compress.reports.classes.zipf import Zipf
from compress.reports.plots.axis import Frame, Scale, logarithmic
from compress.reports.plots.labels import Anchor, Box, place_labels
from compress.reports.plots.svg import Drawing
from compress.reports.wording import count, signed

CHARACTER, LINE = 6.7, 14.0
LONGEST = 28  # characters of a class name on the plot; the hint has all of it
TITLE = "Videos of each class against the rank of the class"


def zipf_plot(
    train: Zipf,
    validation: Zipf | None = None,
    *,
    names: Mapping[int, str],
    width: float,
    height: float,
    name: str,
) -> str:
    """The plot as an inline SVG.

    Args:
        train: training videos of the classes.
        validation: validation videos of the classes, ranked on their own; None leaves them out.
        names: of the classes, by number; a class without a name is marked without one.
        width, height: of the drawing, in units of one CSS pixel at full size.
        name: makes the ids in the page unique.
    """
    frame = Frame(left=56, top=28, right=width - 12, bottom=height - 44)
    most = max(train.counts[0], validation.counts[0] if validation else 1)
    ranks = max(len(train.counts), len(validation.counts) if validation else 1)
    x = logarithmic(1, max(ranks, 2) * 1.15, frame.left, frame.right)
    y = logarithmic(0.8, max(most, 2) * 1.5, frame.bottom, frame.top)
    drawing = Drawing(width, height, title=TITLE, description=_described(train, validation), name=name)
    _axes(drawing, frame, x, y, ranks, most)
    _fitted(drawing, train, x, y)
    thin = [(x(rank), y(videos)) for rank, videos in validation.steps] if validation else []
    if thin:
        drawing.polyline(thin, "curve validation")
    curve = [(x(rank), y(videos)) for rank, videos in train.steps]
    drawing.polyline(curve, "curve")
    _named(drawing, train, names, [*thin, *curve], frame, x, y)
    return drawing.render()


def _described(train: Zipf, validation: Zipf | None) -> str:
    ranks = [1]
    while ranks[-1] * 10 <= len(train.counts):
        ranks.append(ranks[-1] * 10)
    found = "; ".join(f"rank {count(rank)}: {count(train.counts[rank - 1])}" for rank in ranks)
    other = f"; validation videos at rank 1: {count(validation.counts[0])}" if validation else ""
    return f"Training videos at {found}; slope {signed(train.slope)}{other}"


def _axes(drawing: Drawing, frame: Frame, x: Scale, y: Scale, ranks: int, most: int) -> None:
    for power in powers_of_ten(most):
        drawing.line(frame.left, y(power), frame.right, y(power), "grid")
        drawing.text(frame.left - 7, y(power) + 4, count(power), "tick", "end")
    for power in powers_of_ten(ranks):
        drawing.line(x(power), frame.bottom, x(power), frame.bottom + 5, "axis")
        drawing.text(x(power), frame.bottom + 18, count(power), "tick", "middle")
    drawing.line(frame.left, frame.bottom, frame.right, frame.bottom, "axis")
    middle = (frame.left + frame.right) / 2
    drawing.text(middle, frame.bottom + 37, "rank of the class (log scale)", "name", "middle")
    drawing.text(0, 11, "videos of the class (log scale)", "name")


def powers_of_ten(most: int) -> list[int]:
    """1, 10, 100, ... up to `most` >= 1."""
    return [10**i for i in range(len(str(most)))]


def _fitted(drawing: Drawing, train: Zipf, x: Scale, y: Scale) -> None:
    """The least-squares line, as far as it lies within the range of the curve."""
    if train.slope == 0:
        return
    # Where it reaches the highest and the lowest count of the curve.
    ends = sorted(
        min(max(10 ** ((level - train.intercept) / train.slope), 1), len(train.counts))
        for level in (math.log10(train.counts[0] * 1.3), math.log10(train.counts[-1]))
    )
    places = [(x(rank), y(10 ** (train.intercept + train.slope * math.log10(rank)))) for rank in ends]
    drawing.line(*places[0], *places[1], "band-line")


def _named(
    drawing: Drawing,
    train: Zipf,
    names: Mapping[int, str],
    drawn: Sequence[tuple[float, float]],
    frame: Frame,
    x: Scale,
    y: Scale,
) -> None:
    """Marks at ranks 1, 10, 100, ..., with the names of their classes where there is room."""
    obstacles = [Box(a[0], a[1], max(b[0] - a[0], 1), max(b[1] - a[1], 1)) for a, b in pairwise(drawn)]
    places = [(rank, number, x(rank), y(train.counts[rank - 1])) for rank, number in train.named]
    obstacles += [Box(across - 6, down - 6, 12, 12) for _, _, across, down in places]
    texts = [_short(names[number]) if number in names else "" for _, number, _, _ in places]
    anchors = [
        Anchor(across + 4, down - 6, CHARACTER * len(text) + 4, LINE)
        for text, (_, _, across, down) in zip(texts, places, strict=True)
    ]
    area = Box(frame.left, frame.top - 16, frame.right - frame.left, frame.bottom - frame.top + 16)
    boxes = place_labels(anchors, obstacles, area)
    for (rank, number, across, down), text, box in zip(places, texts, boxes, strict=True):
        hint = (
            f"{names.get(number, '')} (rank {count(rank)}): {count(train.counts[rank - 1])} videos".lstrip()
        )
        drawing.marker(across, down, "circle", "mark encoder", hint)
        if text and box is not None:
            drawing.text(box.x + 2, box.y + LINE - 3.5, text, "label")


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"
