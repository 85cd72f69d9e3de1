"""Blocks hold what the records hold, whatever the format and the size of a block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.datasets import Source, open_source
from compress.datasets.record import Block, Record, VideoRecord
from compress.errors import NotFoundError, RecordError, UsageError


def arrays(folder: Path, suffix: str) -> str:
    """Seven labelled vectors with ids of unequal length, as .npy or .h5."""
    import h5py

    random = np.random.default_rng(0)
    rows = random.normal(size=(7, 5))
    ids = [b"i" * (n + 1) for n in range(7)]
    if suffix == ".npy":
        np.save(folder / "a.npy", rows)
        np.savez(folder / "a.labels.npz", indptr=np.arange(0, 16, 2), indices=[5, 2] * 7, ids=ids)
        return str(folder / "a.npy")
    with h5py.File(folder / "a.h5", "w") as file:
        file["features"], file["ids"] = rows, ids
        file["labels/indptr"], file["labels/indices"] = np.arange(8), np.arange(7)
    return str(folder / "a.h5")


@pytest.fixture(params=["videos", "frames", "segments", ".npy", ".h5"])
def source(request, build, tmp_path: Path) -> Source:
    if request.param.startswith("."):
        return open_source([arrays(tmp_path, request.param)])
    records = build.frame_videos(5) if request.param == "frames" else build.videos(5)
    if request.param == "segments":
        times = {"segment_start_times": [1], "segment_end_times": [2], "segment_labels": [3]}
        one = build.frames(b"s", integers=times, floats={"segment_scores": [1]})
        records = [*build.frame_videos(4), one]
    build.shard(tmp_path / "a", records)
    build.shard(tmp_path / "b", records[:2])
    return open_source([f"{tmp_path}/*"])


def assert_packed(block: Block, records: list[Record]) -> None:
    assert block.ids.tolist() == [record.video_id for record in records]
    assert block.ids.dtype.kind == "S"
    assert block.num_labels.tolist() == [len(record.labels) for record in records]
    assert block.classes.tolist() == [label for record in records for label in record.labels.tolist()]
    assert (block.num_labels.dtype, block.classes.dtype) == (np.int64, np.int32)
    features = [record.features for record in records if isinstance(record, VideoRecord)]
    if features:
        assert (block.rows.dtype, block.num_frames) == (np.float32, None)
        np.testing.assert_array_equal(block.rows, np.stack(features))
    else:
        assert block.num_frames is not None
        assert (block.rows.dtype, block.num_frames.dtype) == (np.uint8, np.int64)
        assert block.num_frames.tolist() == [len(record.frames) for record in records]
        np.testing.assert_array_equal(block.rows, np.concatenate([record.frames for record in records]))


@pytest.mark.parametrize("videos", [1, 2, 3, 5, 100])
def test_blocks_are_the_records_in_order(source: Source, videos: int) -> None:
    for shard in source.shards:
        records, done = list(source.read(shard)), 0
        for block in source.read_blocks(shard, videos):
            assert_packed(block, records[done : done + videos])
            done += len(block)
            assert len(block) == videos or done == len(records)
        assert done == len(records)


def test_a_block_of_no_videos_and_a_foreign_shard_are_refused_at_once(source: Source, tmp_path) -> None:
    with pytest.raises(UsageError, match="at least 1 video"):
        source.read_blocks(source.shards[0], 0)
    with pytest.raises(NotFoundError, match="not a shard of this source"):
        source.read_blocks(tmp_path / "other", 1)


def test_a_defective_record_fails_with_its_place_or_is_left_out(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a", [*build.videos(3), build.video(b"bad", rgb=[1]), *build.videos(3, 9)])
    schema = build.video_schema
    failing = open_source([str(path)], schema=schema).read_blocks(path, 2)
    assert len(next(failing)) == 2
    with pytest.raises(RecordError, match=r"record 3 at byte \d+, id bad"):
        list(failing)
    skipping = open_source([str(path)], schema=schema, on_corrupt="skip")
    sizes = [len(block) for block in skipping.read_blocks(path, 4)]
    assert (sizes, [left.record for left in skipping.skipped]) == ([4, 2], [3])
