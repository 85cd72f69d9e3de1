"""Where the labels of a plot go: near their points, over nothing, touching no other label."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

DISTANCES = (9, 15, 22, 30, 40, 52, 66, 82, 100, 120, 145, 175, 210)
ANGLES = (0, 180, 25, -25, 155, -155, 50, -50, 130, -130, 90, -90, 75, -75, 105, -105)


@dataclass(frozen=True)
class Box:
    """An upright rectangle; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share area."""
        across = self.x < other.x + other.width and other.x < self.x + self.width
        return across and self.y < other.y + other.height and other.y < self.y + self.height

    def within(self, area: Box) -> bool:
        """Whether all of it lies in `area`."""
        across = area.x <= self.x and self.x + self.width <= area.x + area.width
        return across and area.y <= self.y and self.y + self.height <= area.y + area.height


@dataclass(frozen=True)
class Anchor:
    """A point that wants a label of a size."""

    x: float
    y: float
    width: float
    height: float


def place_labels(anchors: Sequence[Anchor], obstacles: Sequence[Box], area: Box) -> list[Box | None]:
    """A free box for each label, the nearest that is found; earlier anchors choose first.

    Args:
        anchors: points with the sizes of their labels.
        obstacles: boxes that labels must not touch (markers, error bars).
        area: where labels may lie.

    Returns: one box an anchor, None where no free place is left (the point then stays unlabelled).
    """
    taken = list(obstacles)
    placed: list[Box | None] = []
    for anchor in anchors:
        free = (box for box in _candidates(anchor) if box.within(area) and not any(map(box.overlaps, taken)))
        box = next(free, None)
        placed.append(box)
        if box is not None:
            taken.append(box)
    return placed


def _candidates(anchor: Anchor) -> Iterator[Box]:
    for distance in DISTANCES:
        for angle in ANGLES:
            dx, dy = math.cos(math.radians(angle)), -math.sin(math.radians(angle))
            x, y = anchor.x + dx * distance, anchor.y + dy * distance
            # The side that faces the point touches the circle; straight above and below the label is centred.
            left = x - anchor.width / 2 if abs(dx) < 0.1 else (x if dx > 0 else x - anchor.width)
            yield Box(left, y - anchor.height / 2, anchor.width, anchor.height)
