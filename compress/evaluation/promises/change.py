"""The change of one figure against the baseline, and how low it may be in truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

from compress.metrics import student_quantile


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
