"""The order of rows: reproducible, complete, and continued exactly where it stopped."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.datasets import (
    Position,
    batches_per_epoch,
    bucketed_batches,
    sequential_batches,
    shuffled_batches,
)
from compress.datasets.batches import visits_of_few
from compress.errors import UsageError

START = Position()
SIZES = {"rows": st.integers(1, 60), "size": st.integers(1, 20), "seed": st.integers(0, 2**31)}


def orders(rows: int, size: int, seed: int) -> list:
    lengths = np.random.default_rng(rows).integers(1, 300, size=rows)
    return [
        lambda start=START: shuffled_batches(rows, size, seed, start),
        lambda start=START: bucketed_batches(lengths, size, seed, start, window=3),
    ]


@given(**SIZES)
def test_each_epoch_visits_every_row_once(rows: int, size: int, seed: int) -> None:
    count = batches_per_epoch(rows, size)
    for order in orders(rows, size, seed):
        steps = list(islice(order(), 2 * count))
        for epoch in (0, 1):
            part = steps[epoch * count : (epoch + 1) * count]
            assert sorted(np.concatenate([batch for _, batch in part]).tolist()) == list(range(rows))
            assert all(1 <= len(batch) <= size for _, batch in part)
            assert sum(len(batch) < size for _, batch in part) <= 1
            assert {batch.dtype for _, batch in part} == {np.dtype(np.int64)}


@given(**SIZES, visits=st.integers(2, 4))
def test_few_rows_are_visited_several_times_an_epoch(rows: int, size: int, seed: int, visits: int) -> None:
    lengths = np.random.default_rng(rows).integers(1, 300, size=rows)
    count = batches_per_epoch(rows, size, visits)
    for order in (
        shuffled_batches(rows, size, seed, visits=visits),
        bucketed_batches(lengths, size, seed, window=3, visits=visits),
    ):
        batches = [batch for _, batch in islice(order, count)]
        assert sorted(np.concatenate(batches).tolist()) == sorted(list(range(rows)) * visits)
    plain = [batch.tolist() for _, batch in islice(shuffled_batches(rows, rows, seed, visits=visits), visits)]
    assert all(sorted(batch) == list(range(rows)) for batch in plain), "each once before any comes again"


@given(**SIZES, least=st.integers(0, 99))
def test_an_epoch_has_the_least_batches_and_no_visit_too_many(
    rows: int, size: int, seed: int, least: int
) -> None:
    visits = visits_of_few(rows, size, least)
    assert batches_per_epoch(rows, size, visits) >= least
    assert visits == 1 or batches_per_epoch(rows, size, visits - 1) < least


@given(**SIZES, stop=st.integers(0, 40))
def test_a_run_continued_anywhere_equals_the_uninterrupted_one(rows, size, seed, stop: int) -> None:
    for order in orders(rows, size, seed):
        whole = list(islice(order(), stop + 10))
        start = whole[stop - 1][0] if stop else START
        for (position, batch), (wanted_position, wanted) in zip(order(start), whole[stop:], strict=False):
            assert position == wanted_position
            np.testing.assert_array_equal(batch, wanted)


def test_positions_count_batches_and_then_epochs() -> None:
    positions = [position for position, _ in islice(shuffled_batches(5, 2, seed=0), 4)]
    assert positions == [Position(0, 1), Position(0, 2), Position(1, 0), Position(1, 1)]


def test_seeds_and_epochs_give_different_orders_and_the_same_seed_the_same() -> None:
    def first(seed: int, epoch: int) -> list[int]:
        return next(shuffled_batches(1000, 1000, seed, Position(epoch)))[1].tolist()

    assert first(3, 2) == first(3, 2)
    assert len({tuple(first(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


def test_the_order_of_an_epoch_is_numpy_s_own_permutation() -> None:
    _, rows = next(shuffled_batches(100, 100, 7, Position(epoch=5)))
    assert rows.tolist() == np.random.default_rng([7, 5]).permutation(100).tolist()


def test_buckets_hold_less_padding_than_a_plain_shuffle() -> None:
    lengths = np.random.default_rng(0).integers(1, 300, size=4000)

    def padding(batches) -> float:
        epoch = [lengths[rows] for _, rows in islice(batches, batches_per_epoch(4000, 32))]
        return 1 - lengths.sum() / sum(len(batch) * batch.max() for batch in epoch)

    assert padding(bucketed_batches(lengths, 32, seed=1)) < 0.05
    assert padding(bucketed_batches(lengths, 32, seed=1, window=1)) > 0.4
    assert padding(shuffled_batches(4000, 32, seed=1)) > 0.4


def test_buckets_do_not_come_sorted_by_length() -> None:
    lengths = np.arange(1000)
    means = [lengths[rows].mean() for _, rows in islice(bucketed_batches(lengths, 10, seed=0), 100)]
    assert abs(np.corrcoef(means, np.arange(100))[0, 1]) < 0.3


@given(rows=SIZES["rows"], size=SIZES["size"])
def test_sequential_batches_go_once_through_all_rows_in_order(rows: int, size: int) -> None:
    batches = list(sequential_batches(rows, size))
    assert np.concatenate(batches).tolist() == list(range(rows))
    assert all(len(batch) == size for batch in batches[:-1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2, 0), "0 rows in batches of 2"),
        ((2, 0, 0), "2 rows in batches of 0"),
        ((2, 2, -1), "seed -1"),
        ((10, 5, 0, Position(0, 2)), "outside an epoch of 2 batches"),
        ((10, 5, 0, Position(-1, 0)), "outside an epoch"),
    ],
)
def test_impossible_orders_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        next(shuffled_batches(*arguments))
    rows, *others = arguments
    with pytest.raises(UsageError, match=message):
        next(bucketed_batches(np.ones(rows, dtype=np.int64), *others))
