"""The promise is kept: over many samples of videos, as often as the confidence says, and not less."""

from __future__ import annotations

import math

import numpy as np
import pytest

from compress.evaluation.promises import Promise, Quantity, choose
from compress.evaluation.promises.choice import HalfTest
from compress.evaluation.promises.promise import Change
from tests.evaluation.promises.worlds import World, world

WORLDS, CONFIDENCE = 120, 0.9
# All alike, so that many stores stand at the edge; each has bytes of its own.
ALIKE = [0.7] * 4


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [world(seed, ALIKE) for seed in range(WORLDS)]


@pytest.mark.parametrize("quantity", ["gap", "map", "precision"])
def test_a_store_that_breaks_the_promise_by_a_hair_is_confirmed_no_more_often_than_allowed(
    worlds: list[World], quantity: Quantity
):
    seen = [changes(one, quantity) for one in worlds]
    broken = float(np.mean([[change.value for change in stores] for stores in seen])) + 1e-6
    promise = Promise({quantity: -broken}, CONFIDENCE)
    wrong = sum(choose(one.baseline, one.candidates, one.ids, promise).chosen is not None for one in worlds)
    # By chance up to three standard deviations above the allowed share.
    allowed = (1 - CONFIDENCE) * WORLDS
    assert wrong <= allowed + 3 * math.sqrt(allowed * CONFIDENCE)
    # Who looks at all stores on the same videos and takes one that seems to keep it is wrong more often.
    naive = sum(any(change.lowest(CONFIDENCE) >= broken for change in stores) for stores in seen)
    assert naive > 1.5 * allowed
    assert naive > wrong


def changes(one: World, quantity: Quantity) -> list[Change]:
    """Of every store, on the half that confirms."""
    compared = HalfTest(one.baseline, one.ids, "confirmation", [quantity])
    return [compared.changes(store)[quantity] for store in one.stores]


def test_a_store_that_keeps_the_promise_with_room_is_found():
    promise = Promise({"gap": 0.05, "map": 0.1, "precision": 0.1}, 0.95)
    for seed in range(10):
        # The third is the smallest that keeps it; the fourth loses far more.
        one = world(seed, [0.0, 0.05, 0.1, 3.0], videos=600)
        chosen = choose(one.baseline, one.candidates, one.ids, promise).chosen
        assert chosen is not None
        assert chosen.expected.name == "store-2"
