"""Labelled segments of the 2019 release: told, or rows of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from compress.datasets.catalogue import scan
from compress.datasets.record import FrameRecord
from compress.datasets.table import FrameTable, load_table
from compress.description import Description
from compress.errors import CompressError, RecordError
from tests.datasets.messages import example, opened, sequence, told, write


def segmented(folder: Path, starts=(1, 1, 4), ends=(3, 3, 6), scores=(1.0, 0.0, 0.0)) -> Path:
    context = {
        "id": [b"v"],
        "labels": [7],
        "segment_start_times": list(starts),
        "segment_end_times": list(ends),
        "segment_labels": [5, 6, 8],
        "segment_scores": list(scores),
    }
    steps = [[bytes([t, t])] for t in range(6)]
    records = [sequence(context, {"rgb": steps}), sequence({"id": [b"w"], "labels": [2]}, {"rgb": steps})]
    return write(folder / "seg.tfrecord", records)


def test_segments_are_there_says_the_note(tmp_path: Path) -> None:
    source = opened(segmented(tmp_path))
    assert told(source) == [
        "segments with labels of their own are there: --segments makes them rows, named ID:START"
    ]
    assert scan(source).ids.tolist() == [b"v", b"w"]


def test_segments_become_rows_on_request(tmp_path: Path) -> None:
    source = opened(segmented(tmp_path), description=Description(segments=True))
    table = load_table(source, cache=tmp_path / "cache")
    assert isinstance(table, FrameTable)
    assert table.ids.tolist() == [b"v:1", b"v:4"]
    assert [table.labels[row].tolist() for row in range(2)] == [[5], []]
    assert table.frames[:, 0].tolist() == [1, 2, 4, 5]
    assert "segments without a confirmed label are unlabelled" in told(source)[0]
    confirmed = opened(source.shards[0], description=source.description, require_labels=True)
    assert scan(confirmed).ids.tolist() == [b"v:1"]
    # Not the table of the videos, though the files are the same.
    assert load_table(opened(source.shards[0]), cache=tmp_path / "cache").ids.tolist() == [b"v", b"w"]


def test_a_segment_behind_the_last_frame_is_a_defect(tmp_path: Path) -> None:
    source = opened(
        segmented(tmp_path, starts=(1, 1, 9), ends=(3, 3, 10)), description=Description(segments=True)
    )
    with pytest.raises(RecordError, match="a segment starts at second 9 of 6"):
        list(source.read(source.shards[0]))


def test_segments_that_are_not_there_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", [example(id=[b"v"], clip=[0.5, 1.0])])
    with pytest.raises(CompressError, match="--segments: has no segments"):
        opened(path, description=Description(segments=True))


def test_records_read_one_by_one_are_those_of_the_blocks(tmp_path: Path) -> None:
    source = opened(segmented(tmp_path), description=Description(segments=True))
    records = list(source.read(source.shards[0]))
    (block,) = source.read_blocks(source.shards[0], 8)
    assert all(isinstance(record, FrameRecord) for record in records)
    assert [record.video_id for record in records] == block.ids.tolist()
