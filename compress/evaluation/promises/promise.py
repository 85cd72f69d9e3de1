"""What is promised of a store, how far a figure may have changed, and in which order stores are tried."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from compress.errors import UsageError
from compress.metrics import student_quantile

Quantity = Literal["gap", "map", "precision"]
QUANTITIES: tuple[Quantity, ...] = ("gap", "map", "precision")


OPTIONS: Mapping[Quantity, str] = {
    "gap": "--max-gap-drop",
    "map": "--max-map-drop",
    "precision": "--max-precision-drop",
}
"""How each quantity is promised on a command line."""


@dataclass(frozen=True)
class Promise:
    """Every figure named keeps within its drop, all of them at once, with this confidence.

    Args:
        max_drops: by quantity, how far it may fall below the baseline's, as a fraction in (-1, 1): 0.005 is
            half a point; below 0, how much it must gain. "precision" is label precision@10.
        confidence: in [0.5, 1): at most 1 - confidence of all choices, each on videos of its own, break it.

    Raises:
        UsageError: nothing is promised, or a number is out of range.
    """

    max_drops: Mapping[Quantity, float]
    confidence: float = 0.95

    def __post_init__(self) -> None:
        if not self.max_drops:
            raise UsageError(
                "nothing is promised",
                hint="give --max-gap-drop, --max-map-drop or --max-precision-drop, or several",
            )
        if not 0.5 <= self.confidence < 1:
            raise UsageError(f"must be in [0.5, 1), not {self.confidence:g}", where="--confidence")
        for quantity, drop in self.max_drops.items():
            if not -1 < drop < 1:
                what = f"must be within 100 points, not {100 * drop:g}"
                raise UsageError(what, where=OPTIONS[quantity])


@dataclass(frozen=True)
class Change:
    """A figure minus the baseline's, on the same videos.

    Args:
        value: in [-1, 1].
        error: its standard error, >= 0.
        degrees: of freedom of that error, >= 1.
    """

    value: float
    error: float
    degrees: int

    def lowest(self, confidence: float) -> float:
        """The one-sided lower bound: in truth it is lower with a probability of at most 1 - confidence."""
        return self.value - student_quantile(confidence, self.degrees) * self.error

    def margin(self, floor: float) -> float:
        """How many standard errors it is above `floor`; infinite when there is no error at all."""
        above = self.value - floor
        if self.error > 0:
            return above / self.error
        return math.inf if above >= 0 else -math.inf


@dataclass(frozen=True)
class Expected:
    """What the selection half says of a store.

    Args:
        name, bytes_per_video: of the store.
        changes: of each quantity, on the selection half.
        margin: the smallest of their distances from what is allowed, in standard errors.
    """

    name: str
    bytes_per_video: int
    changes: Mapping[Quantity, Change]
    margin: float


def expected(
    name: str, bytes_per_video: int, changes: Mapping[Quantity, Change], promise: Promise
) -> Expected:
    """A store with its margin."""
    margin = min(changes[quantity].margin(-drop) for quantity, drop in promise.max_drops.items())
    return Expected(name, bytes_per_video, changes, margin)


def sequence(stores: Sequence[Expected]) -> list[Expected]:
    """From the safest store on, always to fewer bytes.

    Left out is a store that takes no fewer bytes than a safer one: it would never be preferred, and every
    test that may fail before the smallest store is reached makes it less likely to be reached.
    """
    path: list[Expected] = []
    for store in sorted(stores, key=lambda one: (-one.margin, one.bytes_per_video, one.name)):
        if not path or store.bytes_per_video < path[-1].bytes_per_video:
            path.append(store)
    return path
