"""The changes of a store against the baseline, on one half of the validation videos."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from compress.errors import SchemaError, UsageError
from compress.evaluation.halves import Half, half
from compress.evaluation.promises.change import Change
from compress.evaluation.promises.promise import Quantity
from compress.evaluation.scores import QueryPrecision
from compress.metrics import LeftOut, TopScores, leave_out_groups, standard_error

# Below, the quantiles of Student's t are not close enough, and nothing could be confirmed anyway.
LEAST = 10
_METRICS: tuple[Literal["gap", "map"], ...] = ("gap", "map")


@dataclass(frozen=True, eq=False)
class Scores:
    """What was kept when a store was measured.

    Args:
        top: of N validation videos, in the order of their ids.
        precision: label precision@10 of those that were searched for; None where nobody measured it.
    """

    top: TopScores
    precision: QueryPrecision | None = None


@dataclass(frozen=True)
class Candidate:
    """A store that may be chosen.

    Args:
        name: of the store.
        bytes_per_video: of one stored row.
        load: reads its scores; they are not kept, as those of all stores may not fit into memory.
    """

    name: str
    bytes_per_video: int
    load: Callable[[], Scores]


class HalfTest:
    """Compares with the baseline on the videos of one half.

    Args:
        baseline: its scores.
        ids: of its N videos in the same order, S<w> (N,).
        which: half.
        quantities: what is compared.

    Raises:
        UsageError: fewer than 10 videos, or queries where precision is asked for, in this half.
        SchemaError: precision is asked for, and the baseline's neighbours were not measured.
    """

    def __init__(
        self, baseline: Scores, ids: np.ndarray, which: Half, quantities: Iterable[Quantity]
    ) -> None:
        self._kept = half(ids, which)
        self.videos = int(np.count_nonzero(self._kept))
        _refuse_few(self.videos, f"videos to measure on in the {which} half")
        self._top = baseline.top
        metrics = [metric for metric in _METRICS if metric in {*quantities}]
        self._left_out = {metric: self._leave_out(baseline.top, metric) for metric in metrics}
        self._precision = self._queries(baseline) if "precision" in {*quantities} else None
        if self._precision is not None:
            _refuse_few(len(self._precision.videos), f"videos searched for in the {which} half")

    def changes(self, scores: Scores) -> dict[Quantity, Change]:
        """The change of each quantity.

        Raises:
            SchemaError: not the videos of the baseline, or other queries, or none.
        """
        own, base = scores.top, self._top
        same = np.array_equal(own.label_indptr, base.label_indptr)
        if not same or not np.array_equal(own.label_classes, base.label_classes):
            raise SchemaError("was measured on other videos than the baseline")
        found: dict[Quantity, Change] = {}
        for metric, theirs in self._left_out.items():
            ours = self._leave_out(own, metric)
            error = standard_error(ours.values - theirs.values)
            found[metric] = Change(ours.point - theirs.point, error, len(ours.values) - 1)
        if self._precision is not None:
            found["precision"] = _mean_change(self._queries(scores), self._precision)
        return found

    def _leave_out(self, top: TopScores, metric: Literal["gap", "map"]) -> LeftOut:
        return leave_out_groups(top.take(np.flatnonzero(self._kept)), metric)

    def _queries(self, scores: Scores) -> QueryPrecision:
        if scores.precision is None:
            raise SchemaError("the label precision of its neighbours was not kept with its scores")
        return scores.precision.where(self._kept)


def _refuse_few(count: int, what: str) -> None:
    if count < LEAST:
        raise UsageError(f"only {count} {what}", hint=f"nothing is proven with fewer than {LEAST}")


def _mean_change(ours: QueryPrecision, theirs: QueryPrecision) -> Change:
    if not np.array_equal(ours.videos, theirs.videos):
        raise SchemaError("its neighbours were measured for other videos than the baseline's")
    changes = ours.values - theirs.values
    error = float(changes.std(ddof=1)) / math.sqrt(len(changes))
    return Change(float(changes.mean()), error, len(changes) - 1)
