"""What is promised, in which order stores are tried, and where the sequence ends."""

from __future__ import annotations

import math

import numpy as np
import pytest

from compress.errors import Interrupted, SchemaError, UsageError
from compress.evaluation.halves import half
from compress.evaluation.promises import Candidate, Change, Promise, Scores, choose
from compress.evaluation.promises.choice import HalfTest
from compress.evaluation.promises.promise import Expected, expected, sequence
from compress.metrics import figures, leave_out_groups
from compress.progress import Event, Progress, clear_interrupt, request_interrupt
from tests.evaluation.promises.worlds import World, world

NEVER = 0.9


@pytest.mark.parametrize(
    ("drops", "confidence", "telling"),
    [
        ({}, 0.95, "nothing is promised"),
        ({"gap": 1.5}, 0.95, "--max-gap-drop: must be within 100 points, not 150"),
        ({"gap": 1.0}, 0.95, "--max-gap-drop"),
        ({"precision": -1.5}, 0.95, "--max-precision-drop"),
        ({"map": math.nan}, 0.95, "--max-map-drop"),
        ({"gap": 0.01}, 1.0, "--confidence"),
        ({"gap": 0.01}, 0.4, "--confidence"),
        ({"gap": 0.01}, math.nan, "--confidence"),
    ],
)
def test_a_promise_out_of_range_is_refused(drops, confidence, telling):
    with pytest.raises(UsageError, match=telling):
        Promise(drops, confidence)


def test_the_lowest_change_is_the_one_sided_bound_of_student():
    change = Change(-0.01, 0.002, 49)
    assert change.lowest(0.95) == pytest.approx(-0.01 - 1.67655 * 0.002, abs=1e-7)
    assert change.lowest(0.5) == pytest.approx(-0.01)


@pytest.mark.parametrize(
    ("change", "margin"),
    [
        (Change(-0.01, 0.005, 49), 2.0),
        (Change(-0.03, 0.005, 49), -2.0),
        (Change(0.0, 0.0, 49), math.inf),
        (Change(-0.03, 0.0, 49), -math.inf),
        (Change(-0.02, 0.0, 49), math.inf),
    ],
)
def test_a_margin_is_the_distance_from_the_floor_in_standard_errors(change: Change, margin: float):
    assert change.margin(-0.02) == pytest.approx(margin)


def test_the_margin_of_a_store_is_that_of_its_worst_figure():
    changes = {"gap": Change(0.0, 0.01, 49), "map": Change(-0.01, 0.01, 49)}
    found = expected("one", 64, changes, Promise({"gap": 0.03, "map": 0.02}))
    assert found.margin == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("stores", "order"),
    [
        ([("a", 100, 3.0), ("b", 50, 2.0), ("c", 10, 1.0)], "abc"),
        ([("a", 100, 3.0), ("b", 200, 2.0), ("c", 10, 1.0)], "ac"),  # b is neither safer nor smaller
        ([("a", 100, 3.0), ("b", 100, 2.0)], "a"),
        ([("a", 100, 1.0), ("b", 50, 3.0)], "b"),  # b is both
        ([("a", 100, math.inf), ("b", 50, math.inf), ("c", 10, -math.inf)], "bc"),
        ([("b", 50, 1.0), ("a", 50, 1.0)], "a"),
        ([], ""),
    ],
)
def test_stores_are_tried_from_the_safest_on_and_always_to_fewer_bytes(stores, order):
    found = sequence([Expected(name, size, {}, margin) for name, size, margin in stores])
    assert "".join(one.name for one in found) == order


@pytest.fixture(scope="module")
def one() -> World:
    return world(1, [0.0, 0.05, 3.0, 4.0], videos=600)


def test_everything_before_the_first_failure_is_confirmed_and_nothing_after_it_is_tested(one: World):
    found = choose(one.baseline, one.candidates, one.ids, Promise({"gap": 0.1}))
    assert [tried.kept for tried in found.tried] == [True, True, False, None]
    assert found.chosen is not None
    assert (found.chosen.expected.name, found.chosen.expected.bytes_per_video) == ("store-1", 99)
    assert found.failed is found.tried[2]
    assert found.tried[3].changes is None
    assert found.passed_over == ()


def test_the_sequence_is_the_same_whatever_the_confirmation_half_says(one: World):
    kept = half(one.ids, "selection")
    # Videos of the confirmation half become copies of one of them.
    moved = np.arange(len(kept))
    moved[~kept] = np.flatnonzero(~kept)[0]
    stores = [
        Candidate(other.name, other.bytes_per_video, lambda kept=kept_scores: Scores(kept.top.take(moved)))
        for other, kept_scores in zip(one.candidates, one.stores, strict=True)
    ]
    promise = Promise({"gap": 0.1})
    before = choose(one.baseline, one.candidates, one.ids, promise)
    after = choose(Scores(one.baseline.top.take(moved)), stores, one.ids, promise)
    assert [tried.expected for tried in after.tried] == [tried.expected for tried in before.tried]


def test_changes_are_measured_on_one_half_alone(one: World):
    for which in ("selection", "confirmation"):
        rows = np.flatnonzero(half(one.ids, which))
        compared = HalfTest(one.baseline, one.ids, which, ["gap", "map"])
        found = compared.changes(one.stores[2])
        ours, theirs = (figures(kept.top.take(rows)) for kept in (one.stores[2], one.baseline))
        assert compared.videos == len(rows)
        assert found["gap"].value == pytest.approx(ours.gap - theirs.gap, abs=1e-12)
        assert found["map"].value == pytest.approx(ours.map - theirs.map, abs=1e-12)


def test_the_error_of_a_change_has_one_degree_of_freedom_less_than_there_are_parts(one: World):
    compared = HalfTest(one.baseline, one.ids, "confirmation", ["gap"])
    groups = len(
        leave_out_groups(one.baseline.top.take(np.flatnonzero(half(one.ids, "confirmation"))), "gap").values
    )
    assert compared.changes(one.stores[2])["gap"].degrees == groups - 1

    neighbours = HalfTest(one.baseline, one.ids, "confirmation", ["precision"])
    found = neighbours.changes(one.stores[2])["precision"]
    assert one.baseline.precision is not None
    asked = one.baseline.precision.where(half(one.ids, "confirmation")).values
    assert found.degrees == len(asked) - 1


def test_every_figure_must_keep_its_own_promise(one: World):
    def chosen(**drops: float) -> str | None:
        found = choose(one.baseline, one.candidates, one.ids, Promise(drops)).chosen
        return None if found is None else found.expected.name

    assert chosen(gap=NEVER, map=NEVER, precision=NEVER) == "store-3"
    assert chosen(gap=0.1, map=NEVER) == chosen(gap=NEVER, map=0.1) == "store-1"
    assert chosen(gap=-0.5, map=NEVER) is None


def test_where_the_first_fails_nothing_is_chosen_and_it_is_told_by_how_much(one: World):
    promise = Promise({"gap": 0.001, "precision": 0.5})
    found = choose(one.baseline, one.candidates[2:], one.ids, promise)
    assert found.chosen is None
    assert found.failed is found.tried[0]
    assert found.failed is not None
    assert found.failed.changes is not None
    lowest = found.failed.changes["gap"].lowest(0.95)
    assert found.shortfalls(found.failed.changes) == {"gap": pytest.approx(-0.001 - lowest)}


def test_without_candidates_nothing_is_tried(one: World):
    found = choose(one.baseline, [], one.ids, Promise({"gap": 0.1}))
    assert (found.tried, found.chosen, found.failed) == ((), None, None)


@pytest.mark.parametrize("drops", [{"gap": 0.1}, {"precision": 0.1}])
def test_a_handful_of_videos_proves_nothing(drops):
    few = world(0, [0.1], videos=16)
    with pytest.raises(UsageError, match="nothing is proven with fewer than 10"):
        choose(few.baseline, few.candidates, few.ids, Promise(drops))


def test_a_handful_of_queries_proves_nothing(one: World):
    assert one.baseline.precision is not None
    few = one.baseline.precision.where(np.arange(600) < 12)
    with pytest.raises(UsageError, match=r"only \d videos searched for .* fewer than 10"):
        choose(Scores(one.baseline.top, few), one.candidates, one.ids, Promise({"precision": 0.1}))


def test_a_store_of_other_videos_is_refused(one: World):
    other = world(2, [0.0], videos=600)
    with pytest.raises(SchemaError, match="other videos"):
        choose(one.baseline, other.candidates, one.ids, Promise({"gap": 0.1}))


def test_neighbours_of_other_queries_or_none_are_refused(one: World):
    assert one.baseline.precision is not None
    fewer = one.baseline.precision.where(np.arange(600) < 500)
    for precision, telling in ((fewer, "other videos"), (None, "not kept")):
        stores = [Candidate("a", 9, lambda kept=precision: Scores(one.baseline.top, kept))]
        with pytest.raises(SchemaError, match=telling):
            choose(one.baseline, stores, one.ids, Promise({"precision": 0.1}))


def test_a_stop_is_heeded_between_the_halves(one: World):
    told: list[str] = []

    def stop_at_the_end_of_the_first(event: Event) -> None:
        assert isinstance(event, Progress)
        told.append(event.stage)
        if event.done == event.total:
            request_interrupt(2)

    try:
        with pytest.raises(Interrupted):
            choose(one.baseline, one.candidates, one.ids, Promise({"gap": 0.1}), stop_at_the_end_of_the_first)
    finally:
        clear_interrupt()
    assert set(told) == {"ordering on the selection half"}


def test_a_stop_is_heeded_between_stores(one: World):
    request_interrupt(2)
    try:
        with pytest.raises(Interrupted):
            choose(one.baseline, one.candidates, one.ids, Promise({"gap": 0.1}))
    finally:
        clear_interrupt()
