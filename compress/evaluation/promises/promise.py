"""A promise about a store, the change of a figure with its lower bound, and the order of the tests."""

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
"""The option of each quantity."""


@dataclass(frozen=True)
class Promise:
    """No named figure drops further than allowed, all of them together, with this confidence.

    Args:
        max_drops: by quantity, how far it may fall below the baseline's, as a fraction in (-1, 1): 0.005 is
            half a point; below 0, how much it must gain. "precision" is label precision@10.
        confidence: in [0.5, 1): over many choices, each on new videos, at most 1 - confidence break it.

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
        judge: that says so, where several were asked.
    """

    value: float
    error: float
    degrees: int
    judge: str = ""

    def lowest(self, confidence: float) -> float:
        """The one-sided lower bound: the true change is lower with probability 1 - confidence at most."""
        return self.value - student_quantile(confidence, self.degrees) * self.error

    def margin(self, floor: float) -> float:
        """How many standard errors it is above `floor`; infinite when there is no error at all."""
        above = self.value - floor
        if self.error > 0:
            return above / self.error
        return math.inf if above >= 0 else -math.inf


@dataclass(frozen=True)
class Expected:
    """A store on the selection half: its changes, and the least margin to a limit in standard errors."""

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
    """The stores from the safest on, each smaller than the one before.

    A store that is no smaller than a safer one is left out: it would never be preferred, and every test that
    may fail on the way makes the smallest stores less likely to be reached.
    """
    path: list[Expected] = []
    for store in sorted(stores, key=lambda one: (-one.margin, one.bytes_per_video, one.name)):
        if not path or store.bytes_per_video < path[-1].bytes_per_video:
            path.append(store)
    return path
