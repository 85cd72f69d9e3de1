"""Three ways to the same batches, and a thread that ends with the training."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
import torch

from compress.datasets.batches import Position, Step
from compress.progress import Note
from compress.training import feed as device_feed
from compress.training.feed import Batch, batches, direct, prefetched, resident
from compress.training.inputs import bytes_of, training_order
from tests.training.examples import frame_table, video_table

CPU = torch.device("cpu")
WAYS = [direct, resident, prefetched]
TABLES = {"video": video_table(40), "frame": frame_table(24)}


def first(way, table, number: int = 7) -> list[Batch]:
    with closing(way(table, training_order(table, 9, 0, Position(0, 1)), CPU)) as feed:
        return list(itertools.islice(feed, number))


@pytest.mark.parametrize("level", ["video", "frame"])
@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_batches_of_the_table_in_order(way, level: str) -> None:
    table = TABLES[level]
    order = training_order(table, 9, 0, Position(0, 1))
    for found, (after, rows) in zip(first(way, table), order, strict=False):
        *wanted, labels = table.batch(rows)
        inputs = found.inputs if isinstance(found.inputs, tuple) else (found.inputs,)
        assert (found.after, found.videos) == (after, len(rows))
        assert np.array_equal(found.labels.numpy(), labels)
        for ours, theirs in zip(inputs, wanted, strict=True):
            assert np.array_equal(ours.numpy(), theirs)


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_a_table_that_takes_at_most_half_of_the_free_memory_stays_there(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, said, chosen = TABLES["video"], [], []
    for way in WAYS:
        monkeypatch.setattr(
            device_feed,
            way.__name__,
            lambda *arguments, name=way.__name__: chosen.append(name) or iter(()),
        )
    free = int(bytes_of(table) / share)
    batches(table, iter(()), CPU, said.append, free_bytes=free)
    assert chosen == ["resident" if share < 0.5 else "prefetched"]
    assert [type(event) for event in said] == [Note]
    assert ("stay in the device's memory" in said[0].text) is (share < 0.5)
    assert ("batch by batch" in said[0].text) is (share > 0.5)


def test_what_has_room_is_sent_all_the_same_when_that_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COMPRESS_RESIDENT", "off")
    monkeypatch.setattr(device_feed, "prefetched", lambda *arguments: iter(["sent"]))
    said = []
    assert list(batches(TABLES["video"], iter(()), CPU, said.append, free_bytes=1 << 40)) == ["sent"]
    assert said[0].text.startswith("COMPRESS_RESIDENT=off")


def test_a_cpu_makes_its_batches_when_they_are_asked_for_and_says_nothing() -> None:
    made: list[int] = []

    def order() -> Iterator[Step]:
        for number in itertools.count():
            made.append(number)
            yield Position(0, number + 1), np.arange(3)

    feed = batches(TABLES["video"], order(), CPU, pytest.fail)
    assert (next(feed).videos, made) == (3, [0])


def batch_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "batches"]


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_the_thread_ends_when_the_feed_is_closed(taken: int) -> None:
    table = TABLES["video"]
    feed = prefetched(table, training_order(table, 9, 0, Position()), CPU)
    for _ in range(taken):
        next(feed)
    feed.close()
    assert not batch_threads()


def test_the_thread_makes_only_a_few_batches_ahead() -> None:
    made = threading.Semaphore(0)

    def order() -> Iterator[Step]:
        for number in itertools.count():
            made.release()
            yield Position(0, number + 1), np.arange(3)

    with closing(prefetched(TABLES["video"], order(), CPU)) as feed:
        next(feed)
        for _ in range(device_feed.AHEAD + 2):  # one taken, AHEAD wait, one in the thread's hands
            assert made.acquire(timeout=10)
        assert not made.acquire(timeout=0.2)


def test_what_goes_wrong_in_the_thread_is_raised_where_its_batch_would_have_come() -> None:
    def order() -> Iterator[Step]:
        yield Position(0, 1), np.arange(3)
        yield Position(0, 2), np.array([10_000])

    feed = prefetched(TABLES["video"], order(), CPU)
    assert next(feed).videos == 3
    with pytest.raises(IndexError):
        next(feed)
    assert not batch_threads()
