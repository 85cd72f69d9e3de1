"""The range of each option: the same for flag, environment variable, compress.toml, `--set` and Python."""

from __future__ import annotations

import math
from dataclasses import dataclass

from compress.errors import UsageError

_MOST = 2**31 - 1  # what C libraries count with


@dataclass(frozen=True)
class Limit:
    """The range of a number; None for no limit.

    Example:
        >>> Limit(above=0, at_most=1).allows(0.0), str(Limit(at_least=1, at_most=4))
        (False, 'at least 1, at most 4')
    """

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    def allows(self, number: float) -> bool:
        """Whether a number is finite and within the range."""
        return (
            (isinstance(number, int) or math.isfinite(number))
            and (self.at_least is None or number >= self.at_least)
            and (self.above is None or number > self.above)
            and (self.at_most is None or number <= self.at_most)
            and (self.below is None or number < self.below)
        )

    def __str__(self) -> str:
        words = {"at least": self.at_least, "above": self.above, "at most": self.at_most, "below": self.below}
        return ", ".join(f"{word} {limit:.15g}" for word, limit in words.items() if limit is not None)


COUNT = Limit(at_least=1, at_most=_MOST)
LIMITS = {
    "seed": Limit(at_least=0, at_most=2**32 - 1),  # scikit-learn's generators take no more
    "threads": Limit(at_least=0, at_most=1024),  # OpenMP crashes on far larger numbers
    "num_classes": COUNT,
    "validate_fraction": Limit(above=0, below=1),
    "dim": COUNT,
    "epochs": COUNT,
    "batch_size": COUNT,
    "nested_dims": COUNT,
    "learning_rate": Limit(above=0),
    "distill_weight": Limit(above=0, at_most=1),
    "temperature": Limit(above=0),
}
"""By the name of the argument in Python."""


def within(name: str, number: float, where: str = "") -> None:
    """UsageError unless a number is in the range of the option `name`.

    Args:
        name: of LIMITS.
        number: its value.
        where: where the value is from; by default the argument's name.
    """
    if not LIMITS[name].allows(number):
        raise UsageError(f"must be {LIMITS[name]}, not {number}", where=where or name)
