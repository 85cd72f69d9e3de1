"""Which classes a row lost and gained most: the names behind a difference in MAP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compress.errors import SchemaError
from compress.reports.classes.frequency import ScoredClasses
from compress.reports.rounding import count

SHOWN = 5
LEAST_POSITIVES = 10  # the average precision of fewer validation videos is mostly luck


@dataclass(frozen=True)
class ExtremeClass:
    """One class under the baseline and under the row; `name` as the vocabulary has it."""

    name: str
    train_videos: int
    positives: int
    baseline: float
    row: float


@dataclass(frozen=True)
class Extremes:
    """The classes that `row` lost most (worst first) and gained most (best first) of `considered` classes.

    Lost and gained beside `baseline`, another row.
    """

    row: str
    title: str
    baseline: str
    lost: tuple[ExtremeClass, ...]
    gained: tuple[ExtremeClass, ...]
    considered: int


def extremes(row: ScoredClasses, baseline: ScoredClasses, names: Mapping[int, str]) -> Extremes | None:
    """The `SHOWN` largest losses and gains among classes with at least `LEAST_POSITIVES` validation videos.

    Args:
        row, baseline: measured on the same videos.
        names: of the classes, by number; a class without a name is left out.

    Returns: None when no class changed, or none has a name and enough videos.

    Raises:
        SchemaError: measured on different videos.
    """
    if not np.array_equal(row.positives, baseline.positives):
        raise SchemaError(f"{row.name} and {baseline.name} were not measured on the same videos")
    considered = [int(c) for c in np.flatnonzero(row.positives >= LEAST_POSITIVES) if int(c) in names]
    change = row.average_precision - baseline.average_precision
    # Ties by number, which YouTube-8M gives by falling frequency.
    lost = sorted((c for c in considered if change[c] < 0), key=lambda c: (change[c], c))[:SHOWN]
    gained = sorted((c for c in considered if change[c] > 0), key=lambda c: (-change[c], c))[:SHOWN]
    if not lost and not gained:
        return None

    def described(c: int) -> ExtremeClass:
        videos, positives = int(row.train_counts[c]), int(row.positives[c])
        before, after = float(baseline.average_precision[c]), float(row.average_precision[c])
        return ExtremeClass(names[c], videos, positives, before, after)

    return Extremes(
        row=row.name,
        title=row.title,
        baseline=baseline.name,
        lost=tuple(map(described, lost)),
        gained=tuple(map(described, gained)),
        considered=len(considered),
    )


def extremes_caption(found: Extremes) -> str:
    """The caption of the table of classes."""
    return (
        f"The classes in which {found.row} lost and gained most average precision (AP) against "
        f"{found.baseline}, of the {count(found.considered)} classes with at least {LEAST_POSITIVES} "
        "validation videos. They are the extremes of many: on other videos most of them will change less."
    )
