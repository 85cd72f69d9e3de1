"""Several threads, one result after the other: order, errors, memory, threads of torch, an early end."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import torch

from compress.errors import UsageError
from compress.workers import in_order, workers_for

WORKERS = [0, 1, 2, 4]


@pytest.fixture(autouse=True)
def two_threads_of_torch() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("workers", WORKERS)
def test_results_come_in_the_order_of_the_items(workers: int):
    def slow_when_even(number: int) -> int:
        time.sleep(0.002 * (number % 2 == 0))
        return 10 * number

    assert list(in_order(slow_when_even, range(40), workers)) == [10 * number for number in range(40)]


@pytest.mark.parametrize("workers", WORKERS)
def test_no_items_give_no_results(workers: int):
    assert list(in_order(str, [], workers)) == []


def test_items_are_worked_on_at_the_same_time():
    both = threading.Barrier(2, timeout=10)  # broken where one worker would have to do both
    assert len(list(in_order(lambda _: both.wait(), range(6), 2))) == 6


@pytest.mark.parametrize("workers", WORKERS)
def test_the_function_sees_one_thread_of_torch_and_the_caller_has_its_own_again(workers: int):
    seen = list(in_order(lambda _: torch.get_num_threads(), range(12), workers))
    assert seen == [1] * 12
    assert torch.get_num_threads() == 2
    later: list[int] = []
    thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert later == [2]


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("place", [0, 3, 9])
def test_an_error_comes_as_itself_after_the_results_before_it(workers: int, place: int):
    def fail(number: int) -> int:
        if number == place:
            raise UsageError(f"item {number}")
        return number

    results = in_order(fail, range(10), workers)
    assert [next(results) for _ in range(place)] == list(range(place))
    with pytest.raises(UsageError, match=f"item {place}"):
        next(results)
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("workers", WORKERS)
def test_an_error_of_reading_comes_after_the_results_of_what_was_read(workers: int):
    def read() -> Iterator[int]:
        yield from range(5)
        raise UsageError("unreadable")

    results = in_order(lambda number: number, read(), workers)
    assert [next(results) for _ in range(5)] == list(range(5))
    with pytest.raises(UsageError, match="unreadable"):
        next(results)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_only_so_many_items_are_read_ahead_however_slowly_results_are_taken(workers: int):
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        for number in range(100):
            read += 1
            yield number

    with closing(in_order(lambda number: number, items(), workers)) as results:
        for taken in range(1, 10):
            next(results)
            time.sleep(0.01)
            assert read <= taken + 2 * workers


class Watched:
    """An item that tells how many of its kind are alive."""

    alive = 0

    def __init__(self) -> None:
        Watched.alive += 1

    def __del__(self) -> None:
        Watched.alive -= 1


@pytest.mark.parametrize("workers", WORKERS)
def test_items_and_results_that_were_taken_are_not_kept(workers: int):
    Watched.alive = 0
    most = 0
    with closing(in_order(lambda _: Watched(), (Watched() for _ in range(60)), workers)) as results:
        for _ in results:
            most = max(most, Watched.alive)
    gc.collect()
    assert most <= 2 * (2 * workers + 2)
    assert Watched.alive <= 1  # the loop's own


@pytest.mark.parametrize("workers", WORKERS)
def test_closing_ends_all_threads_and_the_reading(workers: int):
    ended = False

    def items() -> Iterator[int]:
        nonlocal ended
        try:
            yield from range(1000)
        finally:
            ended = True

    before = threading.active_count()
    with closing(in_order(lambda number: number, items(), workers)) as results:
        next(results)
    assert threading.active_count() == before
    assert ended
    assert torch.get_num_threads() == 2


def test_as_many_workers_as_torch_has_threads_and_none_for_one():
    assert workers_for("cpu") == 2
    torch.set_num_threads(1)
    assert workers_for("cpu") == 0


def test_a_gpu_has_one_worker_that_feeds_it():
    assert workers_for("cuda") == 1


def test_fewer_workers_than_none_are_refused():
    with pytest.raises(UsageError, match="-1"):
        in_order(str, [], -1)
