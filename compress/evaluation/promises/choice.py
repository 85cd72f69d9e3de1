"""Each store of the sequence is tried once on the confirmation half, up to the first that fails.

Source: fixed-sequence testing, as in Angelopoulos, Bates, Candes, Jordan and Lei 2021, Learn then Test:
Calibrating Predictive Algorithms to Achieve Risk Control, section on family-wise error control.

As the order was fixed without the videos that are tested on, each test may use the whole confidence: a wrong
store is confirmed only if the first wrong one of the sequence passes its test. So everything confirmed keeps
the promise at once, with the confidence asked for, however many stores there were to choose from. A promise
about several figures is kept when each figure passes by itself; no correction is needed for that either
(intersection-union test, Berger 1982).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from compress.evaluation.halves import Half
from compress.evaluation.promises.change import Change
from compress.evaluation.promises.half_test import Candidate, HalfTest, Scores
from compress.evaluation.promises.order import Expected, expected, sequence
from compress.evaluation.promises.promise import Promise, Quantity
from compress.progress import Progress, Reporter, check_interrupt, silent


@dataclass(frozen=True)
class Tried:
    """A store of the sequence.

    Args:
        expected: what the selection half said of it.
        changes: on the confirmation half; None where the sequence ended before it.
        kept: whether every change is at least what was promised; None where it was not tested.
    """

    expected: Expected
    changes: Mapping[Quantity, Change] | None = None
    kept: bool | None = None


@dataclass(frozen=True)
class Choice:
    """What came out.

    Args:
        promise: what was asked for.
        videos: of each half.
        tried: the sequence, in its order.
        passed_over: names of the stores that a safer one of no more bytes made needless.
    """

    promise: Promise
    videos: Mapping[Half, int]
    tried: tuple[Tried, ...]
    passed_over: tuple[str, ...]

    @property
    def confirmed(self) -> tuple[Tried, ...]:
        """Those that keep the promise, all of them at once; the last takes the fewest bytes."""
        return tuple(one for one in self.tried if one.kept)

    @property
    def chosen(self) -> Tried | None:
        """The one of the fewest bytes that was confirmed."""
        return self.confirmed[-1] if self.confirmed else None

    @property
    def failed(self) -> Tried | None:
        """The one at which the sequence ended."""
        return next((one for one in self.tried if one.kept is False), None)

    def shortfalls(self, changes: Mapping[Quantity, Change]) -> dict[Quantity, float]:
        """By how much each figure may have dropped further than promised; only those that may."""
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
    selection = HalfTest(baseline, ids, "selection", promise.max_drops)
    known = []
    for number, one in enumerate(candidates, 1):
        check_interrupt()
        changes = selection.changes(one.load())
        known.append(expected(one.name, one.bytes_per_video, changes, promise))
        report(Progress("ordering on the selection half", number, len(candidates), unit="stores"))
    order = sequence(known)
    by_name = {one.name: one for one in candidates}
    confirmation = HalfTest(baseline, ids, "confirmation", promise.max_drops)
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
    """Whether no figure can have dropped further than promised, at the promise's confidence."""
    return all(
        changes[quantity].lowest(promise.confidence) >= -drop for quantity, drop in promise.max_drops.items()
    )
