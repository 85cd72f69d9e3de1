"""What an interval of a difference allows one to say."""

from __future__ import annotations

from enum import StrEnum

from compress.evaluation.row import Row
from compress.metrics import Interval


class Verdict(StrEnum):
    """The words of the verdict column; HOLDS, WITHIN_NOISE and FALLS_SHORT come from a paired interval."""

    HOLDS = "holds"
    WITHIN_NOISE = "within noise"
    FALLS_SHORT = "falls short"
    BASELINE = "baseline"
    NOT_COMPARED = "not compared"
    NOT_RUN = "NOT RUN"


def judge(difference: Interval) -> Verdict:
    """Holds (low >= 0), within noise (low < 0 <= high) or falls short (high < 0), for row minus baseline."""
    if difference.low >= 0:
        return Verdict.HOLDS
    return Verdict.WITHIN_NOISE if difference.high >= 0 else Verdict.FALLS_SHORT


def verdict_on(row: Row | None, metric: str) -> Verdict:
    """The verdict on one metric ("gap", "map", ...) of a row, or why there is none."""
    if row is None:
        return Verdict.NOT_RUN
    if row.role == "baseline":
        return Verdict.BASELINE
    if row.delta is None:
        return Verdict.NOT_COMPARED
    return judge(getattr(row.delta, metric))
