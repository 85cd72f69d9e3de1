"""All points with their differences from the baseline and from their rivals, by rising bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from compress.errors import NotFoundError
from compress.evaluation.row import Data, Role
from compress.metrics import Interval
from compress.reports.charts import front
from compress.reports.panel import panel_in_words
from compress.reports.tradeoff.measured import (
    CHOOSES,
    METRICS,
    PROVES,
    Measured,
    difference_interval,
    mean_interval,
)

JUDGED = ("gap", "map")  # neighbours need no judge
Figures = Mapping[str, Interval]
"""By metric, of `METRICS`; what was not measured is missing."""


@dataclass(frozen=True)
class Rival:
    """The best of what needs no training, of equal or smaller size, and how far a point is ahead of it."""

    name: str
    bytes_per_video: int
    ahead: Interval


@dataclass(frozen=True)
class Half:
    """Figures on one half of the videos, and their differences from the baseline's (none for that)."""

    videos: int
    figures: Figures
    delta: Figures


@dataclass(frozen=True)
class Point:
    """One store, with the mean figures of its best judge in `heads` panels of different seeds.

    Its `encoders` are as many, trained with different seeds, where there were any; else 1.

    Args:
        family: what it is drawn with: the run of an encoder without its size, or a kind of control.
        spread: by metric, half the range of the heads' figures on the confirmation half.
        rivals: by metric, the best among everything that needs no training; encoders only.
        of_families: by family of control and by metric, its best of equal or smaller size; encoders only.
        judges: by judge, its difference from the same judge of the baseline on the confirmation half; for the
            baseline its figures.
        best: name of the judge that speaks for the point; of the first panel.
        doubt: why figures are not final; empty where they are.
    """

    name: str
    title: str
    role: Role
    family: str
    dim: int
    codec: str
    bytes_per_video: int
    heads: int
    encoders: int
    spread: Mapping[str, float]
    confirmation: Half
    selection: Half
    rivals: Mapping[str, Rival]
    of_families: Mapping[str, Mapping[str, Rival]]
    command: str
    notes: tuple[str, ...]
    judges: Mapping[str, Figures]
    best: str
    doubt: str

    def worst(self, metric: str) -> tuple[str, Interval] | None:
        """The judge that says the worst of a point, and what; None for the baseline or without a panel."""
        found = [(name, said[metric]) for name, said in self.judges.items() if metric in said]
        if self.role == "baseline" or len(found) < 2:
            return None
        return min(found, key=lambda one: one[1].value)


@dataclass(frozen=True)
class TradeoffTable:
    """`points` by rising bytes; `judged`: how, in words; `failures`: sentences about what was not made."""

    points: tuple[Point, ...]
    baseline: Point
    data: Data
    judged: str
    failures: tuple[str, ...] = ()

    def front(self, metric: str) -> list[Point]:
        """The points that no other beats in bytes and in a metric, on the confirmation half."""
        known = [point for point in self.points if metric in point.confirmation.figures]
        places = [(p.bytes_per_video, p.confirmation.figures[metric].value) for p in known]
        return [known[i] for i in front(places)]


def tradeoff_table(
    measured: Sequence[Measured], baseline: str, failures: Sequence[str] = ()
) -> TradeoffTable:
    """Compare everything with the baseline, and each encoder with what needs no training.

    The rival of each point is the best of equal or smaller size by the selection half; how far the point is
    ahead of it is measured on the confirmation half, which had no say in the choice.

    Raises:
        NotFoundError: the baseline is not among them.
    """
    against = next((one for one in measured if one.name == baseline), None)
    if against is None:
        hint = f"`compress evaluate --name {baseline}` measures it"
        raise NotFoundError(f"the baseline {baseline!r} is not measured", hint=hint)
    controls = [one for one in measured if not one.learned]
    points = [_point(one, against, controls) for one in measured]
    points.sort(key=lambda point: (point.bytes_per_video, point.name))
    base = next(point for point in points if point.name == baseline)
    return TradeoffTable(tuple(points), base, against.row.data, panel_in_words(against.row), tuple(failures))


def _point(one: Measured, baseline: Measured, controls: Sequence[Measured]) -> Point:
    row, role = one.row, _role(one, baseline)
    compared = controls if role == "encoder" else ()
    smaller = [control for control in compared if control.row.bytes_per_video <= row.bytes_per_video]
    families = sorted({control.family for control in smaller})
    return Point(
        name=one.name,
        title=row.title,
        role=role,
        family=one.family,
        dim=row.dim,
        codec=row.codec,
        bytes_per_video=row.bytes_per_video,
        heads=len(one.halves[PROVES]),
        encoders=one.encoders,
        spread=_spread(one),
        confirmation=_half(one, baseline, PROVES),
        selection=_half(one, baseline, CHOOSES),
        rivals=_rivals(one, smaller),
        of_families={family: _rivals(one, [c for c in smaller if c.family == family]) for family in families},
        command=row.command,
        notes=row.notes,
        judges=_judges(one, baseline),
        best=row.head.removeprefix("fresh "),
        doubt=one.doubt or baseline.doubt,
    )


def _judges(one: Measured, baseline: Measured) -> dict[str, Figures]:
    found: dict[str, Figures] = {}
    for name, heads in one.judges.items():
        theirs = baseline.judges.get(name, {})
        found[name] = _known(
            {
                metric: mean_interval(heads, metric)
                if one is baseline
                else difference_interval(heads, theirs, metric)
                for metric in JUDGED
            }
        )
    return found


def _role(one: Measured, baseline: Measured) -> Role:
    if one is baseline:
        return "baseline"
    return "encoder" if one.learned else "control"


def _half(one: Measured, baseline: Measured, which: str) -> Half:
    heads, theirs = one.halves[which], baseline.halves[which]
    figures = {metric: mean_interval(heads, metric) for metric in METRICS}
    delta = {
        metric: None if one is baseline else difference_interval(heads, theirs, metric) for metric in METRICS
    }
    return Half(one.videos[which], _known(figures), _known(delta))


def _known(found: Mapping[str, Interval | None]) -> Figures:
    return {metric: estimate for metric, estimate in found.items() if estimate is not None}


def _spread(one: Measured) -> dict[str, float]:
    heads = one.halves[PROVES].values()
    found = {metric: [head[metric].point for head in heads if metric in head] for metric in METRICS}
    return {metric: (max(values) - min(values)) / 2 for metric, values in found.items() if values}


def _rivals(one: Measured, controls: Iterable[Measured]) -> dict[str, Rival]:
    """For each metric the best of some controls."""
    found: dict[str, Rival] = {}
    for metric in METRICS:
        ranked = [
            (estimate.value, -control.row.bytes_per_video, control.name, control)
            for control in controls
            if (estimate := mean_interval(control.halves[CHOOSES], metric)) is not None
        ]
        if not ranked:
            continue
        best = max(ranked, key=lambda entry: entry[:3])[3]
        ahead = difference_interval(one.halves[PROVES], best.halves[PROVES], metric)
        if ahead is not None:
            found[metric] = Rival(best.name, best.row.bytes_per_video, ahead)
    return found
