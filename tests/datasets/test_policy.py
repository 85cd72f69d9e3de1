"""What is left out is counted once and, in quarantine, kept byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compress.datasets import open_source
from compress.datasets.formats.framing import frame, read_records
from compress.datasets.policy import Policy
from compress.errors import CorruptShardError, StorageError, UsageError


@pytest.fixture
def damaged(build, tmp_path: Path) -> Path:
    """Record 1 has a flipped data bit, record 3 a NaN, record 5 a flipped length bit; seven in all."""
    records = build.videos(7)
    records[3] = build.video(b"nan", rgb=[float("nan")] * 6)
    framed = [bytearray(frame(record)) for record in records]
    framed[1][40] ^= 1
    framed[5][0] ^= 1
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"".join(framed))
    return path


def read(path: Path, **options: object) -> tuple[list[bytes], list]:
    source = open_source([str(path)], num_classes=10, **options)  # type: ignore[arg-type]
    ids = [record.video_id for record in source.read(path)]
    assert [record.video_id for record in source.read(path)] == ids
    return ids, source.skipped


def test_fail_stops_at_the_first_defect(damaged: Path) -> None:
    with pytest.raises(CorruptShardError):
        read(damaged)


def test_skip_counts_damage_defects_and_the_lost_rest(damaged: Path) -> None:
    ids, skipped = read(damaged, on_corrupt="skip")
    assert ids == [b"v0", b"v2", b"v4"]
    assert [(one.record, one.rest_of_shard) for one in skipped] == [(1, False), (3, False), (5, True)]
    assert [one.reason.split(" ")[0] for one in skipped] == ["data", "feature", "length"]
    assert skipped[2].offset + skipped[2].num_bytes == damaged.stat().st_size
    assert all(one.quarantined is None for one in skipped)


def test_quarantine_keeps_the_bytes_as_they_are_on_disk(damaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "quarantine"
    ids, skipped = read(damaged, on_corrupt="quarantine", quarantine=folder)
    assert ids == [b"v0", b"v2", b"v4"]
    whole = damaged.read_bytes()
    for one in skipped:
        assert one.quarantined.read_bytes() == whole[one.offset : one.offset + one.num_bytes]
    lines = [json.loads(line) for line in (folder / "quarantine.jsonl").read_text().splitlines()]
    assert [line["record"] for line in lines] == [1, 3, 5]
    assert [line["quarantined"] for line in lines] == [one.quarantined.name for one in skipped]
    assert [line["reason"] for line in lines] == [one.reason for one in skipped]
    assert {line["shard"] for line in lines} == {str(damaged)}
    assert len(list(folder.iterdir())) == 4


def test_an_intact_but_defective_record_in_quarantine_is_a_readable_shard(damaged, tmp_path, build) -> None:
    _, skipped = read(damaged, on_corrupt="quarantine", quarantine=tmp_path / "q")
    (raw,) = read_records(skipped[1].quarantined)
    assert raw.data == build.video(b"nan", rgb=[float("nan")] * 6)


def test_a_second_run_adds_no_lines(damaged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "q"
    for _ in range(2):
        read(damaged, on_corrupt="quarantine", quarantine=folder)
    assert len((folder / "quarantine.jsonl").read_text().splitlines()) == 3


def test_shards_of_one_name_in_two_folders_do_not_overwrite_each_other(build, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        build.shard(tmp_path / name / "x.tfrecord", [build.video(name.encode(), rgb=[float("inf")] * 6)])
    good = build.shard(tmp_path / "good.tfrecord", [build.video()])
    source = open_source(
        [str(good), str(tmp_path / "[ab]" / "*")],
        num_classes=10,
        on_corrupt="quarantine",
        quarantine=tmp_path / "q",
    )
    for shard in source.shards:
        list(source.read(shard))
    assert len({one.quarantined for one in source.skipped}) == 2


def test_opening_counts_and_keeps_nothing(damaged: Path, tmp_path: Path) -> None:
    source = open_source([str(damaged)], on_corrupt="quarantine", quarantine=tmp_path / "q")
    assert source.skipped == []
    assert not (tmp_path / "q").exists()


def test_a_quarantine_that_cannot_be_written_is_an_error(damaged: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        read(damaged, on_corrupt="quarantine", quarantine=tmp_path / "file" / "q")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_corrupt": "ignore"}, "unknown on-corrupt policy 'ignore'"),
        ({"on_corrupt": "quarantine"}, "go together"),
        ({"on_corrupt": "skip", "quarantine": Path("q")}, "go together"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Policy(**options)
