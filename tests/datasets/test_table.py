"""A table equals direct reading, from memory and from its copy on the disk; a damaged copy is found."""

from __future__ import annotations

import re
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from compress.datasets import FrameTable, VideoTable, load_table, open_source
from compress.datasets import table as module
from compress.errors import DataError, Interrupted, StorageError
from compress.progress import Event, Note, Progress, Reporter, clear_interrupt, request_interrupt
from tests.artifacts.forging import set_version
from tests.artifacts.races import when_checked


@pytest.fixture
def videos(build, tmp_path: Path) -> str:
    (tmp_path / "shards").mkdir()
    build.shard(tmp_path / "shards" / "a", build.videos(7))
    build.shard(tmp_path / "shards" / "b", build.videos(5, first=50))
    return f"{tmp_path}/shards/*"


@pytest.fixture
def frames(build, tmp_path: Path) -> str:
    (tmp_path / "frames").mkdir()
    build.shard(tmp_path / "frames" / "a", build.frame_videos(40))
    build.shard(tmp_path / "frames" / "b", build.frame_videos(5, first=50))
    return f"{tmp_path}/frames/*"


def records(source) -> list:
    return [record for shard in source.shards for record in source.read(shard)]


def assert_equal(table, wanted: list) -> None:
    assert table.ids.tolist() == [record.video_id for record in wanted]
    assert [table.labels[row].tolist() for row in range(len(table))] == [
        record.labels.tolist() for record in wanted
    ]
    if isinstance(table, VideoTable):
        assert table.features.dtype == np.float32
        np.testing.assert_array_equal(table.features, np.stack([record.features for record in wanted]))
    else:
        assert table.frames.dtype == np.uint8
        for row, record in enumerate(wanted):
            start, end = table.indptr[row : row + 2]
            np.testing.assert_array_equal(table.frames[start:end], record.frames)


@pytest.mark.parametrize("kind", ["videos", "frames"])
@pytest.mark.parametrize("block", [1, 3, 1024])
def test_a_table_equals_direct_reading(request, tmp_path, monkeypatch, kind: str, block: int) -> None:
    monkeypatch.setattr(module, "VIDEOS_PER_BLOCK", {"video": block, "frame": block})
    source = open_source([request.getfixturevalue(kind)])
    for cache in (None, tmp_path / "cache", tmp_path / "cache"):
        table = load_table(source, cache=cache)
        assert_equal(table, records(source))
        assert table.schema == source.schema
        assert type(table) is (VideoTable if kind == "videos" else FrameTable)


def test_the_copy_is_used_again_and_is_mapped_not_read(videos: str, tmp_path, monkeypatch) -> None:
    source = open_source([videos])
    first = load_table(source, cache=tmp_path / "cache")

    def never(*_: object) -> None:
        raise AssertionError("the shards were read again")

    monkeypatch.setattr(module, "scan", never)
    events: list = []
    again = load_table(open_source([videos]), cache=tmp_path / "cache", report=events.append)
    assert isinstance(again.features, np.memmap)
    assert not again.features.flags.writeable
    assert events == []
    for field in fields(first):
        if isinstance(value := getattr(first, field.name), np.ndarray):
            np.testing.assert_array_equal(value, getattr(again, field.name))


def test_each_content_schema_and_rule_has_its_own_copy(build, videos: str, frames: str, tmp_path) -> None:
    cache = tmp_path / "cache"
    sources = [
        open_source([videos]),
        open_source([videos], schema=build.video_schema),
        open_source([videos.replace("*", "a")]),
        open_source([frames]),
        open_source([frames], max_frames=2),
        open_source([frames], require_labels=True),
    ]
    for number, source in enumerate(sources):
        assert_equal(load_table(source, cache=cache), records(source))
        assert len(list(cache.glob("table-*"))) == number + 1


def test_changed_shards_are_noticed(build, videos: str, tmp_path) -> None:
    load_table(open_source([videos]), cache=tmp_path / "cache")
    build.shard(tmp_path / "shards" / "b", build.videos(6, first=70))
    source = open_source([videos])
    table = load_table(source, cache=tmp_path / "cache")
    assert len(table) == 13
    assert_equal(table, records(source))


def test_a_copy_of_the_labelled_videos_is_another_one_and_remembers_how_many_it_left_out(
    videos: str, tmp_path
) -> None:
    everyone = load_table(open_source([videos]), cache=tmp_path / "cache")
    bare = int((everyone.labels.counts() == 0).sum())
    assert bare
    for _ in range(2):
        told = []
        source = open_source([videos], require_labels=True)
        table = load_table(source, cache=tmp_path / "cache", report=told.append)
        assert_equal(table, records(source))
        assert len(table) == len(everyone) - bare
        notes = [note.text for note in told if isinstance(note, Note)]
        assert sum(f"left out {bare} of {len(everyone)} videos, which have no" in text for text in notes) == 1


def test_any_damaged_file_of_a_copy_is_found_reported_and_made_again(frames: str, tmp_path) -> None:
    source, cache = open_source([frames]), tmp_path / "cache"
    load_table(source, cache=cache)
    (folder,) = cache.glob("table-*")
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".npy", ".json"))
    assert len(names) == 7
    for name in names:
        for damage in ("flip", "cut", "remove"):
            path = folder / name
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 4
            if damage == "remove" and name != "manifest.json":
                path.unlink()
            else:
                path.write_bytes(data if damage == "flip" else data[:-1])
            events: list = []
            assert_equal(load_table(source, cache=cache, report=events.append), records(source))
            assert isinstance(events[0], Note)
            assert "will be made again" in events[0].text


def test_a_table_with_records_left_out_is_counted_every_time(build, videos: str, tmp_path) -> None:
    build.shard(tmp_path / "shards" / "c", [build.video(rgb=[]), build.video(b"good")])
    for _ in range(2):
        source, events = open_source([videos], on_corrupt="skip"), []
        table = load_table(source, cache=tmp_path / "cache", report=events.append)
        assert (len(table), len(source.skipped)) == (13, 1)
        assert Note("1 records or parts of shards were left out, so the table is not cached") in events
    assert not (tmp_path / "cache").exists()


def test_unlabelled_videos_have_empty_rows(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a", [build.video(labels=None), build.video(b"other", labels=None)])
    for cache in (None, tmp_path / "cache", tmp_path / "cache"):
        table = load_table(open_source([str(path)]), cache=cache)
        assert table.labels.counts().tolist() == [0, 0]
        assert table.batch(np.array([1]))[1].shape == (1, 3862)


def test_a_batch_holds_the_rows_in_the_order_asked(videos: str) -> None:
    source = open_source([videos])
    table, wanted = load_table(source), records(source)
    rows = np.array([3, 0, 11, 3])
    features, labels = table.batch(rows)
    assert (features.dtype, labels.dtype) == (np.float32, bool)
    assert type(features) is np.ndarray
    for place, row in enumerate(rows):
        np.testing.assert_array_equal(features[place], wanted[row].features)
        assert np.flatnonzero(labels[place]).tolist() == wanted[row].labels.tolist()


def test_a_batch_of_frames_is_padded_with_zeros_to_its_longest(frames: str, tmp_path) -> None:
    source = open_source([frames])
    wanted = records(source)
    table = load_table(source, cache=tmp_path / "cache")
    for rows in (np.array([5, 1, 44]), np.array([2]), np.arange(45)):
        batch, num_frames, labels = table.batch(rows)
        assert batch.shape == (len(rows), max(len(wanted[row].frames) for row in rows), 9)
        assert (batch.dtype, num_frames.dtype, labels.shape) == (np.uint8, np.int64, (len(rows), 3862))
        for place, row in enumerate(rows):
            assert num_frames[place] == len(wanted[row].frames)
            np.testing.assert_array_equal(batch[place, : num_frames[place]], wanted[row].frames)
            assert not batch[place, num_frames[place] :].any()


@pytest.mark.parametrize("other", ["fewer", "more", "renamed", "shorter"])
def test_shards_that_change_between_the_passes_are_refused(build, tmp_path, monkeypatch, other) -> None:
    path = build.shard(tmp_path / "a", build.frame_videos(6))
    later = {
        "fewer": build.frame_videos(5),
        "more": build.frame_videos(7),
        "renamed": [*build.frame_videos(5), build.frames(b"new")],
        "shorter": [*build.frame_videos(5), build.frames(b"f5", rgb=[bytes(6)] * 9, audio=[bytes(3)] * 9)],
    }[other]
    real = module.scan

    def scan_then_change(*arguments: object) -> object:
        found = real(*arguments)
        build.shard(path, later)
        return found

    monkeypatch.setattr(module, "scan", scan_then_change)
    with pytest.raises(DataError, match="changed while they were read"):
        load_table(open_source([str(path)]))


def test_stopping_half_way_leaves_no_copy_behind(videos: str, tmp_path: Path) -> None:
    def stop(event: object) -> None:
        if isinstance(event, Progress) and event.stage == "load":
            request_interrupt(2)

    try:
        with pytest.raises(Interrupted):
            load_table(open_source([videos]), cache=tmp_path / "cache", report=stop)
    finally:
        clear_interrupt()
    assert not list((tmp_path / "cache").rglob("manifest.json"))
    assert not list((tmp_path / "cache").rglob("*rows*.npy"))
    assert len(load_table(open_source([videos]), cache=tmp_path / "cache")) == 12


def test_a_cache_that_cannot_be_written_is_an_error(videos: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        load_table(open_source([videos]), cache=tmp_path / "file" / "cache")


def test_a_copy_that_disappears_while_it_is_opened_is_made_again(videos: str, tmp_path, monkeypatch) -> None:
    first = load_table(open_source([videos]), cache=tmp_path / "cache")
    when_checked(monkeypatch, lambda: shutil.rmtree(tmp_path / "cache"))
    again = load_table(open_source([videos]), cache=tmp_path / "cache")
    np.testing.assert_array_equal(again.features, first.features)
    assert list((tmp_path / "cache").iterdir())


def test_of_two_commands_that_need_a_copy_the_second_waits_for_the_first(
    videos: str, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("compress.artifacts.lock._BETWEEN_LOOKS", 0.01)
    reads, waits, told = threading.Event(), threading.Event(), list[str]()

    def first(event: Event) -> None:
        reads.set()
        assert waits.wait(10)

    def second(event: Event) -> None:
        assert isinstance(event, Note)  # no progress: the shards are not read
        told.append(event.text)
        waits.set()

    def load(report: Reporter) -> VideoTable:
        return load_table(open_source([videos]), cache=tmp_path / "cache", report=report)

    with ThreadPoolExecutor() as pool:
        one = pool.submit(load, first)
        assert reads.wait(10)
        other = load(second)
    assert len(told) == 1
    assert re.fullmatch("waiting for process .*, which is making the copy of the data, which .*", told[0])
    assert_equal(other, records(open_source([videos])))
    np.testing.assert_array_equal(one.result().features, other.features)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [""]  # no lock is left


def test_a_copy_of_a_newer_version_is_made_again(videos: str, tmp_path: Path) -> None:
    source, cache, told = open_source([videos]), tmp_path / "cache", []
    load_table(source, cache=cache)
    (folder,) = cache.glob("table-*")
    before = (folder / "manifest.json").read_bytes()
    set_version(folder, 2)
    assert_equal(load_table(source, cache=cache, report=told.append), records(source))
    assert "will be made again (has schema version 2" in told[0].text
    assert (folder / "manifest.json").read_bytes() == before
