"""Tests each store of the sequence once on the confirmation half, up to the first that fails.

Source: fixed-sequence testing, as in Angelopoulos, Bates, Candes, Jordan and Lei 2021, Learn then Test:
Calibrating Predictive Algorithms to Achieve Risk Control, section on family-wise error control.

The order was fixed without the videos of the confirmation half, so each test may use the whole confidence: a
wrong store is confirmed only if the first wrong one of the sequence passes its test. So all confirmed stores
keep the promise together, with the confidence asked for, however many there were to choose from. A promise
about several figures is kept when each figure passes by itself; no correction is needed for that either
(intersection-union test, Berger 1982).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from compress.errors import SchemaError, UsageError
from compress.evaluation.halves import Half, half
from compress.evaluation.promises.promise import Change, Expected, Promise, Quantity, expected, sequence
from compress.evaluation.scores import QueryPrecision
from compress.metrics import LeftOut, TopScores, leave_out_groups, standard_error
from compress.progress import Progress, Reporter, check_interrupt, silent

# Below, the quantiles of Student's t are not close enough, and nothing could be confirmed anyway.
LEAST = 10
_METRICS: tuple[Literal["gap", "map"], ...] = ("gap", "map")


@dataclass(frozen=True, eq=False)
class Scores:
    """What was kept when a store was measured.

    Args:
        top: of N validation videos, in the order of their ids.
        precision: label precision@10 of the query videos; None when not measured.
        judges: scores of each judge that has to confirm a promise, by name; without any, `top` is asked.
    """

    top: TopScores
    precision: QueryPrecision | None = None
    judges: Mapping[str, TopScores] = field(default_factory=dict)

    @property
    def asked(self) -> Mapping[str, TopScores]:
        """The scores that GAP and MAP are taken from, by judge; "" for the best one."""
        return self.judges or {"": self.top}


@dataclass(frozen=True)
class Candidate:
    """A store that may be chosen.

    Args:
        name: of the store.
        bytes_per_video: of one stored row.
        load: reads its scores when needed, as those of all stores may not fit into memory.
    """

    name: str
    bytes_per_video: int
    load: Callable[[], Scores]


class HalfTest:
    """Compares stores with the baseline on the videos of one half.

    Args:
        baseline: its scores.
        ids: of its N videos in the same order, S<w> (N,).
        which: the half.
        quantities: what is compared.
        confidence: at which the judge that says the worst is found.

    Raises:
        UsageError: fewer than 10 videos, or queries where precision is asked for, in this half.
        SchemaError: precision is asked for, and the baseline's neighbours were not measured; or other ids.
    """

    def __init__(
        self,
        baseline: Scores,
        ids: np.ndarray,
        which: Half,
        quantities: Collection[Quantity],
        confidence: float = 0.95,
    ) -> None:
        if len(ids) != len(baseline.top):
            raise SchemaError(f"{len(baseline.top)} videos were measured, but {len(ids)} have ids")
        self._kept = half(ids, which)
        self.videos = int(np.count_nonzero(self._kept))
        _refuse_few(self.videos, f"videos to measure on in the {which} half")
        self._top, self._confidence = baseline.top, confidence
        self._metrics = [metric for metric in _METRICS if metric in quantities]
        self._left_out = self._leave_out(baseline)
        self._precision = self._queries(baseline) if "precision" in quantities else None
        if self._precision is not None:
            _refuse_few(len(self._precision.videos), f"videos searched for in the {which} half")

    def changes(self, scores: Scores) -> dict[Quantity, Change]:
        """The change of each quantity, under the judge that says the worst of it.

        A promise that holds under this judge holds under every one; their number needs no correction.

        Raises:
            SchemaError: not the videos of the baseline, other queries or judges, or none.
        """
        own, base = scores.top, self._top
        same = np.array_equal(own.label_indptr, base.label_indptr)
        if not same or not np.array_equal(own.label_classes, base.label_classes):
            raise SchemaError("was measured on other videos than the baseline")
        found: dict[Quantity, Change] = {}
        if scores.asked.keys() != self._left_out.keys():
            raise SchemaError("was measured by other judges than the baseline")
        ours = self._leave_out(scores)
        for metric in self._metrics:
            by_judge = [
                _change(left_out[metric], self._left_out[name][metric], name)
                for name, left_out in ours.items()
            ]
            found[metric] = min(by_judge, key=lambda one: one.lowest(self._confidence))
        if self._precision is not None:
            found["precision"] = _mean_change(self._queries(scores), self._precision)
        return found

    def _leave_out(self, scores: Scores) -> dict[str, dict[str, LeftOut]]:
        """By judge and metric."""
        rows = np.flatnonzero(self._kept)
        return {
            name: {metric: leave_out_groups(top.take(rows), metric) for metric in self._metrics}
            for name, top in scores.asked.items()
        }

    def _queries(self, scores: Scores) -> QueryPrecision:
        if scores.precision is None:
            raise SchemaError("the label precision of its neighbours was not kept with its scores")
        return scores.precision.where(self._kept)


def _refuse_few(count: int, what: str) -> None:
    if count < LEAST:
        raise UsageError(f"only {count} {what}", hint=f"nothing is proven with fewer than {LEAST}")


def _change(ours: LeftOut, theirs: LeftOut, judge: str) -> Change:
    error = standard_error(ours.values - theirs.values)
    return Change(ours.point - theirs.point, error, len(ours.values) - 1, judge)


def _mean_change(ours: QueryPrecision, theirs: QueryPrecision) -> Change:
    if not np.array_equal(ours.videos, theirs.videos):
        raise SchemaError("its neighbours were measured for other videos than the baseline's")
    changes = ours.values - theirs.values
    error = float(changes.std(ddof=1)) / math.sqrt(len(changes))
    return Change(float(changes.mean()), error, len(changes) - 1)


@dataclass(frozen=True)
class Tried:
    """A store of the sequence.

    Args:
        expected: what the selection half said of it.
        changes: on the confirmation half; None when the sequence ended before it.
        kept: whether every change is at least what was promised; None when it was not tested.
    """

    expected: Expected
    changes: Mapping[Quantity, Change] | None = None
    kept: bool | None = None


@dataclass(frozen=True)
class Choice:
    """The result.

    Args:
        promise: what was asked for.
        videos: of each half.
        tried: the sequence, in its order.
        passed_over: names of stores that were left out because a safer one is no larger.
    """

    promise: Promise
    videos: Mapping[Half, int]
    tried: tuple[Tried, ...]
    passed_over: tuple[str, ...]

    @property
    def confirmed(self) -> tuple[Tried, ...]:
        """The stores that keep the promise, all of them together; the last is the smallest."""
        return tuple(one for one in self.tried if one.kept)

    @property
    def chosen(self) -> Tried | None:
        """The smallest confirmed store."""
        return self.confirmed[-1] if self.confirmed else None

    @property
    def failed(self) -> Tried | None:
        """The store at which the sequence ended."""
        return next((one for one in self.tried if one.kept is False), None)

    def shortfalls(self, changes: Mapping[Quantity, Change]) -> dict[Quantity, float]:
        """How much further than promised each figure may have dropped; only figures for which it may."""
        found = {
            quantity: -drop - changes[quantity].lowest(self.promise.confidence)
            for quantity, drop in self.promise.max_drops.items()
        }
        return {quantity: short for quantity, short in found.items() if short > 0}


def choose(
    baseline: Scores,
    candidates: Sequence[Candidate],
    ids: np.ndarray,
    promise: Promise,
    report: Reporter = silent,
) -> Choice:
    """Order the candidates on the selection half, and test them on the confirmation half.

    Args:
        baseline: what they are compared with.
        candidates: stores measured on the same videos with the same recipe.
        ids: of the N videos, in the order of the scores, S<w> (N,).
        promise: what the chosen one has to keep.

    Raises:
        UsageError: fewer than 10 videos in a half.
        SchemaError: a candidate was measured on other videos.
    """
    selection = HalfTest(baseline, ids, "selection", promise.max_drops, promise.confidence)
    known = []
    for number, one in enumerate(candidates, 1):
        check_interrupt()
        changes = selection.changes(one.load())
        known.append(expected(one.name, one.bytes_per_video, changes, promise))
        report(Progress("ordering on the selection half", number, len(candidates), unit="stores"))
    order = sequence(known)
    by_name = {one.name: one for one in candidates}
    confirmation = HalfTest(baseline, ids, "confirmation", promise.max_drops, promise.confidence)
    tried: list[Tried] = []
    for store in order:
        check_interrupt()
        if tried and not tried[-1].kept:
            tried.append(Tried(store))
            continue
        changes = confirmation.changes(by_name[store.name].load())
        tried.append(Tried(store, changes, keeps(changes, promise)))
        report(Progress("testing on the confirmation half", len(tried), len(order), unit="stores"))
    tested = {store.name for store in order}
    return Choice(
        promise,
        {"selection": selection.videos, "confirmation": confirmation.videos},
        tuple(tried),
        tuple(one.name for one in candidates if one.name not in tested),
    )


def keeps(changes: Mapping[Quantity, Change], promise: Promise) -> bool:
    """Whether every figure dropped no further than promised, at the promise's confidence."""
    return all(
        changes[quantity].lowest(promise.confidence) >= -drop for quantity, drop in promise.max_drops.items()
    )
