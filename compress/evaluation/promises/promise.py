"""What is promised of a store: by how much each figure may drop, and how sure that must be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from compress.errors import UsageError

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
