"""Batches of a training, from wherever they come, against those of the table, to the bit."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch

from compress.datasets.batches import Position, Step
from compress.labels import Labels
from compress.progress import Event, Note, Progress
from compress.training import feed as device_feed
from compress.training import inputs as module
from compress.training.feed import Batch, batches, direct, prefetched, resident
from compress.training.inputs import Table, batch, bytes_of, device_table, training_order
from tests.training.examples import CLASSES, frame_table, video_table, with_labels

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


def assert_same(table: Table, rows: np.ndarray) -> None:
    inputs, labels = device_table(table, CPU).batch(rows)
    wanted_inputs, wanted_labels = batch(table, rows, CPU)
    found = (inputs if isinstance(inputs, tuple) else (inputs,), labels)
    wanted = (wanted_inputs if isinstance(wanted_inputs, tuple) else (wanted_inputs,), wanted_labels)
    for ours, theirs in zip((*found[0], found[1]), (*wanted[0], wanted[1]), strict=True):
        assert ours.dtype == theirs.dtype
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("level", ["video", "frame"])
@pytest.mark.parametrize("rows", [[0], [3, 1, 2], [5, 5, 0], list(range(24)), []])
def test_a_batch_is_the_tables(level: str, rows: list[int]) -> None:
    assert_same(TABLES[level], np.array(rows, dtype=np.int64))


@pytest.mark.parametrize("level", ["video", "frame"])
def test_videos_without_labels_have_none(level: str) -> None:
    table = TABLES[level]
    lists = [[] if row % 3 else [0, CLASSES - 1] for row in range(len(table))]
    assert_same(with_labels(table, Labels.from_lists(lists, CLASSES)), np.arange(10))
    nothing = Labels.from_lists([[] for _ in range(len(table))], CLASSES)
    assert_same(with_labels(table, nothing), np.arange(10))


def test_videos_without_frames_are_all_padding() -> None:
    table = TABLES["frame"]
    lengths = np.where(np.arange(24) % 2, table.num_frames, 0)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    short = replace(table, indptr=indptr, frames=table.frames[: indptr[-1]])
    assert_same(short, np.arange(24))
    assert_same(short, np.array([0, 2]))


@pytest.mark.parametrize("level", ["video", "frame"])
def test_the_table_is_copied_in_blocks_and_tells_how_far_it_is(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, events = TABLES[level], []
    monkeypatch.setattr(module, "_BLOCK_BYTES", 1000)

    def report(event: Event) -> None:
        events.append(event)

    there = device_table(table, CPU, report)
    source = table.frames if level == "frame" else table.features
    assert np.array_equal(there.data.numpy(), source)
    assert len(events) > 1
    assert isinstance(events[-1], Progress)
    assert events[-1].done == events[-1].total == len(source)


@pytest.mark.parametrize("level", ["video", "frame"])
def test_its_size_is_known_before(level: str) -> None:
    there = device_table(TABLES[level], CPU)
    tensors = [there.data, there.frame_indptr, there.label_indptr, there.label_classes]
    held = sum(tensor.nbytes for tensor in tensors if tensor is not None)
    assert held <= bytes_of(TABLES[level]) <= held + 8 * 41


def test_a_read_only_memory_map_is_taken() -> None:
    table = video_table(10)
    frozen = table.features.copy()
    frozen.flags.writeable = False
    assert_same(replace(table, features=frozen), np.arange(5))
