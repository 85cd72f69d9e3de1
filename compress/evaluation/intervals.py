"""Figures and changes with their intervals, as the JSON of a row."""

from __future__ import annotations

from typing import Any

from compress.metrics import METRICS, Interval, Replicates, TopScores, difference, replicates

RESAMPLES = 1000


def figures_json(resampled: Replicates) -> dict[str, Any]:
    """{metric: {"value", "low", "high"}} of all metrics."""
    return {metric: _json(resampled.interval(metric)) for metric in METRICS}


def delta_json(ours: Replicates, baseline: TopScores, name: str) -> dict[str, Any]:
    """{"baseline": name, metric: {"value", "low", "high"}}: ours minus the baseline's, paired.

    Args:
        ours: of RESAMPLES resamples.
        baseline: scores of the same videos in the same order.
        name: of the baseline.

    Raises:
        SchemaError: not the same videos.
    """
    theirs = replicates(baseline, RESAMPLES, ours.seed)
    return {"baseline": name} | {metric: _json(difference(ours, theirs, metric)) for metric in METRICS}


def _json(found: Interval) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}
