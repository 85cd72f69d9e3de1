"""Intervals as the rows of evaluations hold them."""

from __future__ import annotations

from compress.evaluation.fields import Fields
from compress.metrics import METRICS, Interval, Intervals


def intervals_in(found: Fields, low: float) -> Intervals:
    """The interval of each metric, in [low, 1]."""
    wanted = [
        metric.name for metric in METRICS if metric.required or found.value.get(metric.name) is not None
    ]
    return Intervals({name: _interval(found.inside(name), low) for name in wanted})


def _interval(found: Fields, least: float) -> Interval:
    value, low, high = (found.number(name, least, 1.0) for name in ("value", "low", "high"))
    if low > high:
        found.refuse("low", f"is above high ({low!r} > {high!r})")
    return Interval(value, low, high)
