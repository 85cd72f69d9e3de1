"""One pass gives ids, labels and lengths, and finds the id that occurs twice."""

from __future__ import annotations

import re
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compress.datasets import catalogue as module
from compress.datasets import load_table, open_source, scan
from compress.datasets.catalogue import first_repeat, hash_ids
from compress.errors import DataError, Interrupted, RecordError
from compress.progress import Event, Note, Progress, clear_interrupt, request_interrupt


@pytest.mark.parametrize("block", [1, 3, 4096])
def test_it_equals_plain_reading(build, tmp_path: Path, monkeypatch, block: int) -> None:
    monkeypatch.setattr(module, "VIDEOS_PER_BLOCK", {"video": block})
    build.shard(tmp_path / "b", build.videos(5))
    build.shard(tmp_path / "a", build.videos(2, first=100))
    source = open_source([f"{tmp_path}/*"])
    records = [record for shard in source.shards for record in source.read(shard)]
    found = scan(source)
    assert found.ids.tolist() == [record.video_id for record in records]
    assert [row.tolist() for row in map(found.labels.__getitem__, range(7))] == [
        record.labels.tolist() for record in records
    ]
    assert found.rows_per_shard.tolist() == [2, 5]
    assert (len(found), found.num_frames, found.labels.num_classes) == (7, None, 3862)


@pytest.mark.parametrize("width", [3, 4, 16, 1024])
def test_ids_are_as_wide_as_the_longest_whatever_the_blocks_have(
    build, tmp_path: Path, monkeypatch, width: int
) -> None:
    names = [b"a", b"bcd", b"ef"] if width == 3 else [b"a", "ü".encode() * 2, b"ef"]
    path = build.shard(tmp_path / "a", [build.video(name) for name in names])
    source = open_source([str(path)])
    read = source.read_blocks
    monkeypatch.setattr(
        source,
        "read_blocks",
        lambda shard, _: (replace(block, ids=block.ids.astype(f"S{width}")) for block in read(shard, 2)),
    )
    np.testing.assert_array_equal(found := scan(source).ids, np.array(names), strict=True)
    assert found.dtype == np.array(names).dtype


def test_frame_level_knows_the_lengths(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a", build.frame_videos(9))
    source = open_source([str(path)])
    assert scan(source).num_frames.tolist() == [len(record.frames) for record in source.read(path)]


def test_unlabelled_data_have_no_labels(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a", [build.video(labels=None)])
    assert scan(open_source([str(path)])).labels is None


def test_a_duplicate_in_one_shard_names_both_places(build, tmp_path: Path) -> None:
    records = [*build.videos(4), build.video(b"v1")]
    path = build.shard(tmp_path / "a", records)
    offsets = build.offsets(records)
    with pytest.raises(RecordError) as caught:
        scan(open_source([str(path)]))
    assert str(caught.value) == (
        f"{path}: record 4 at byte {offsets[4]}, id v1: the id occurs twice, "
        f"first at {path}: record 1 at byte {offsets[1]}, id v1; "
        "leave one of the files out if the same shard is given under two names; "
        "--on-corrupt skip leaves out all but the first video of an id"
    )


@pytest.mark.parametrize("native", [True, False])
def test_where_defects_are_skipped_all_but_the_first_video_of_an_id_are_left_out(
    build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    if not native:
        monkeypatch.setenv("COMPRESS_NATIVE", "off")
    build.shard(tmp_path / "a", build.videos(3))
    build.shard(
        tmp_path / "b", [build.video(rgb=[]), build.video(b"x"), build.video(b"v2"), build.video(b"y")]
    )
    build.shard(tmp_path / "c", build.videos(3, first=1))  # v1, v2, v3
    source, events = open_source([f"{tmp_path}/*"], on_corrupt="skip"), list[Event]()
    found = scan(source, events.append)
    ids = [b"v0", b"v1", b"v2", b"x", b"y", b"v3"]
    assert found.ids.tolist() == ids
    assert found.rows_per_shard.tolist() == [3, 2, 1]
    assert (source.repeats, len(source.skipped)) == (3, 1)
    notes = [event.text for event in events if isinstance(event, Note)]
    assert re.fullmatch(
        r"left out 3 of 9 videos, whose ids occurred before; the first is \S+b: record 2 at byte \d+, id v2, "
        r"before at \S+a: record 2 at byte \d+, id v2",
        notes[-1],
    )
    assert [record.video_id for shard in source.shards for record in source.read(shard)] == ids
    assert source.place(source.shards[1], 1).endswith("id y")
    table = load_table(open_source([f"{tmp_path}/*"], on_corrupt="skip"), cache=tmp_path / "cache")
    assert table.ids.tolist() == ids
    assert not (tmp_path / "cache").exists()
    assert len(scan(source)) == 6
    keeping = open_source([f"{tmp_path}/*"], on_corrupt="quarantine", quarantine=tmp_path / "quarantine")
    scan(keeping, events.append)
    assert events[-1].text == f"{notes[-1]}; they are whole, so not quarantined"
    assert len(list((tmp_path / "quarantine").glob("*.bin"))) == 1


def test_a_source_of_which_nothing_is_left_is_a_data_error(build, tmp_path: Path) -> None:
    path = build.shard(tmp_path / "a", [build.video(labels=None)])
    with pytest.raises(DataError, match="none of its 1 videos has labels"):
        scan(open_source([str(path)], require_labels=True))
    build.shard(tmp_path / "b", [build.video(b"")])
    with pytest.raises(DataError, match="no usable record"):
        scan(open_source([str(tmp_path / "b")], on_corrupt="skip"))


def test_progress_is_reported_and_a_request_to_stop_is_heard(build, tmp_path: Path) -> None:
    for name in "abc":
        build.shard(tmp_path / name, [build.video(name.encode())])
    source, events = open_source([f"{tmp_path}/*"]), []
    scan(source, events.append)
    assert events == [Progress("scan", n, 3, "shards") for n in (1, 2, 3)]
    request_interrupt(15)
    try:
        with pytest.raises(Interrupted):
            scan(source)
    finally:
        clear_interrupt()


def test_memory_grows_by_ids_and_labels_only(build, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    audio = random.normal(size=3).tolist()
    records = (
        build.video(b"%08d" % n, [n % 10, (n + 3) % 10], random.normal(size=600).tolist(), audio)
        for n in range(6000)
    )
    path = build.shard(tmp_path / "a", records)
    assert path.stat().st_size > 14_000_000
    source = open_source([str(path)])
    scan(source)
    tracemalloc.start()
    scan(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000  # one block of 4096 label arrays, the read buffer, 8 + 8 + 8 bytes per video


def by_dictionary(ids: list[bytes]) -> tuple[int, int] | None:
    seen: dict[bytes, int] = {}
    for row, name in enumerate(ids):
        if name in seen:
            return seen[name], row
        seen[name] = row
    return None


@pytest.mark.parametrize("kinds", [3, 40, 10_000])
@pytest.mark.parametrize("width", [1, 4, 8, 9, 30])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_earliest_repeat(monkeypatch, seed: int, width: int, kinds: int) -> None:
    monkeypatch.setattr(module, "_CHUNK", 7)
    random = np.random.default_rng(seed)
    names = [b"%d" % number + b"x" * int(random.integers(0, width)) for number in range(kinds)]
    ids = [names[place][-width:] for place in random.integers(0, kinds, size=60)]
    assert first_repeat(np.array(ids)) == by_dictionary(ids)


def test_equal_hashes_of_different_ids_are_no_repeat(monkeypatch) -> None:
    monkeypatch.setattr(module, "hash_ids", lambda ids: np.zeros(len(ids), dtype=np.uint64))
    assert first_repeat(np.array([b"c", b"a", b"b"])) is None
    assert first_repeat(np.array([b"c", b"a", b"c", b"a"])) == (0, 2)


def test_a_hash_depends_on_the_bytes_and_not_on_the_width() -> None:
    ids = [b"a", b"abcdefgh", b"abcdefghi", "ü".encode() * 9]
    hashes = hash_ids(np.array(ids))
    assert len(set(hashes.tolist())) == len(ids)
    for name, wanted in zip(ids, hashes, strict=True):
        assert hash_ids(np.array([name])) == hash_ids(np.array([name], dtype="S100")) == wanted


def test_one_id_or_none_cannot_repeat() -> None:
    assert first_repeat(np.array([b"a"])) is None
    assert first_repeat(np.array([], dtype="S3")) is None
