"""Average precision by class frequency as JSON: by bin, never by class, except the few that changed most."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from compress.reports.classes.frequency import ClassFrequency, where_lost
from compress.reports.classes.sections import ClassSections
from compress.reports.classes.zipf import Zipf


def classes_json(classes: ClassSections) -> dict[str, Any]:
    """A JSON-able dict; figures are fractions, unrounded; `findings` is null when nothing was kept."""
    found = classes.findings
    return {
        "missing": classes.missing,
        "why_these_rows": classes.why,
        "findings": None
        if found is None
        else {
            "training_videos": _zipf(found.train),
            "validation_videos": _zipf(found.validation),
            "average_precision_by_frequency": _frequency(found.frequency),
            "extremes": None if found.extremes is None else asdict(found.extremes),
        },
    }


def _zipf(found: Zipf) -> dict[str, Any]:
    return {
        "classes_with_videos": len(found.counts),
        "classes_without_videos": found.without,
        "most_videos_of_a_class": found.counts[0],
        "log_log_slope": found.slope,
        "log10_intercept": found.intercept,
    }


def _frequency(found: ClassFrequency) -> dict[str, Any]:
    return {
        "intervals": "95 % bootstrap over the classes of a bin, the same resampled classes for every row",
        "baseline": found.baseline,
        "in_words": where_lost(found),
        "bins": [asdict(one) for one in found.bins],
        "rows": [asdict(row) for row in found.rows],
    }
