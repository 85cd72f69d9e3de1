"""Batches made on a device against those of the table, to the bit; the device here is a CPU."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from compress.datasets.labels import Labels
from compress.progress import Event, Progress
from compress.training import inputs as module
from compress.training.inputs import Table, batch, bytes_of, device_table
from tests.training.examples import CLASSES, frame_table, video_table, with_labels

CPU = torch.device("cpu")
TABLES = {"video": video_table(40), "frame": frame_table(24)}


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
