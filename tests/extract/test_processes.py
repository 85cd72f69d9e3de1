"""Several processes: every item once, a crash costs one item, errors and requests to stop come through."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from compress.errors import Interrupted, StorageError, UnavailableError
from compress.extract.processes import Crashed, in_processes
from compress.progress import check_interrupt, clear_interrupt, request_interrupt
from tests.extract.workers import doubling, dying, refusing


def results(items: list[int], start: Callable = doubling, workers: int = 2) -> dict[int, int | Crashed]:
    found = in_processes(start, items, workers=workers, threads=1, pause=check_interrupt)
    pairs = list(found)
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_every_item_once(workers: int):
    assert results([1, 2, 3, 4, 5], workers=workers) == {n: 2 * n for n in range(1, 6)}


def test_a_crash_costs_the_item_that_caused_it():
    found = results([1, 13, 2, 3, 4])

    assert found.pop(13) == Crashed(11)
    assert found == {1: 2, 2: 4, 3: 6, 4: 8}


@pytest.mark.parametrize(("start", "items"), [(doubling, [1, 99, 2]), (refusing, [1])])
def test_an_error_comes_through_whole(start: Callable, items: list[int]):
    with pytest.raises(StorageError) as error:
        results(items, start)
    assert error.value.where in ("x", "y")


def test_a_process_that_cannot_start_is_an_error_with_advice():
    with pytest.raises(UnavailableError, match=r"exit code 3\); use fewer processes: --workers 1"):
        results([1], dying)


def test_a_request_to_stop_ends_the_processes():
    request_interrupt(2)
    try:
        with pytest.raises(Interrupted):
            results([1, 2, 3])
    finally:
        clear_interrupt()
