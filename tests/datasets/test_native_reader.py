"""How the C reader is used: when it runs, when it does not, and what it asks of memory."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from compress import native
from compress.datasets.formats import native_buffers, tfrecord
from compress.datasets.formats.examples import FrameParser, VideoParser
from compress.datasets.formats.framing import frame, masked_crc
from compress.datasets.formats.layout import Layout
from compress.datasets.formats.tfrecord import TFRecordReader
from compress.datasets.policy import Policy
from compress.errors import CorruptShardError, NotFoundError, UsageError
from tests.datasets.both_ways import both, contents
from tests.datasets.wire_records import field, varint

pytestmark = pytest.mark.skipif(native_buffers.load() is None, reason="the C code was not compiled")


@pytest.fixture
def no_python(monkeypatch) -> None:
    """Whoever parses a record in Python fails the test."""

    def refuse(*_: object) -> None:
        pytest.fail("a record was parsed in Python")

    monkeypatch.setattr(VideoParser, "__call__", refuse)
    monkeypatch.setattr(FrameParser, "__call__", refuse)


def in_other_words(build) -> dict[str, bytes]:
    """Video-level records that mean the same, as writers of other languages might put them."""
    rgb, audio = (np.array(row, dtype="<f4").tobytes() for row in ([0.5, -1, 2, 3, 4, 5], [7, 8, -9]))
    features = {
        b"id": field(1, field(1, b"abcd")),
        b"labels": field(3, field(1, b"\x02\x01\x02")),
        b"mean_rgb": field(2, field(1, rgb)),
        b"mean_audio": field(2, field(1, audio)),
    }
    unpacked = {
        **features,
        b"labels": field(3, b"\x08\x02\x08\x01"),
        b"mean_audio": field(2, b"".join(b"\x0d" + audio[at : at + 4] for at in (0, 4, 8))),
    }
    unknown = field(15, b"new") + varint(9 << 3) + varint(-1) + varint(7 << 3 | 5) + b"abcd"

    def example(features: dict[bytes, bytes], more: bytes = b"", padding: int = 0) -> bytes:
        return more + b"".join(
            field(1, field(1, field(1, key, padding) + field(2, value + more)), padding)
            for key, value in features.items()
        )

    return {
        "as protobuf writes": build.video(),
        "in one piece each": example(features),
        "backwards": example(dict(reversed(features.items()))),
        "unpacked": example(unpacked),
        "with unknown fields": example(features, unknown),
        "with superfluous bytes": example(features, padding=2),
        "with other features": example(
            {**features, b"title": field(1, b""), b"n": field(3, field(1, varint(-5)))}
        ),
    }


def test_usual_records_and_odd_encodings_never_reach_python(build, tmp_path: Path, no_python) -> None:
    records = in_other_words(build)
    shard = build.shard(tmp_path / "a", records.values())
    blocks = TFRecordReader(Layout.of(build.video_schema), Policy()).read_blocks(shard, 1)
    found = dict(zip(records, map(contents, blocks), strict=True))
    assert found == dict.fromkeys(records, found["as protobuf writes"])
    assert found["unpacked"][:3] == ([b"abcd"], [2], [1, 2])


def test_odd_encodings_mean_the_same_to_python(build, tmp_path: Path) -> None:
    shard = build.shard(tmp_path / "a", in_other_words(build).values())
    by_c, by_python = both(shard, build.video_schema)
    assert by_c == by_python


def test_frames_never_reach_python(build, tmp_path: Path, no_python) -> None:
    shard = build.shard(tmp_path / "a", build.frame_videos(9))
    (block,) = TFRecordReader(Layout.of(build.frame_schema), Policy()).read_blocks(shard, 20)
    assert len(block) == 9


def test_real_shards_never_reach_python(shared_data: Path, no_python) -> None:
    from compress.datasets import AUDIOSET, YT8M_2018_VIDEO

    for name, schema in (
        ("yt8m-2018/validate/validate0080.tfrecord", YT8M_2018_VIDEO),
        ("audioset/train/train03.tfrecord", AUDIOSET),
    ):
        assert (
            sum(map(len, TFRecordReader(Layout.of(schema), Policy()).read_blocks(shared_data / name, 64)))
            > 100
        )


def test_switched_off_python_reads(build, tmp_path: Path, monkeypatch) -> None:
    shard = build.shard(tmp_path / "a", build.videos(5))
    by_c = [
        contents(block)
        for block in TFRecordReader(Layout.of(build.video_schema), Policy()).read_blocks(shard, 2)
    ]
    monkeypatch.setenv(native.SWITCH, "off")
    monkeypatch.setattr(tfrecord, "BlockReader", None)
    by_python = [
        contents(block)
        for block in TFRecordReader(Layout.of(build.video_schema), Policy()).read_blocks(shard, 2)
    ]
    assert by_c == by_python


def test_a_length_of_two_to_the_sixty_allocates_nothing(build, tmp_path: Path) -> None:
    length = struct.pack("<Q", 2**60)
    claim = length + struct.pack("<I", masked_crc(length))
    (tmp_path / "a").write_bytes(frame(build.video()) + claim + bytes(100))
    tracemalloc.start()
    try:
        with pytest.raises(CorruptShardError, match=f"claims {2**60} bytes but 96 are left"):
            list(TFRecordReader(Layout.of(build.video_schema), Policy()).read_blocks(tmp_path / "a", 10))
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_a_shard_that_is_cut_while_it_is_read_is_told(build, tmp_path: Path) -> None:
    record = build.frames(b"f", [1], [b"abcdef"] * 60_000, [b"abc"] * 60_000)
    shard = build.shard(tmp_path / "a", [record] * 4)
    blocks = TFRecordReader(Layout.of(build.frame_schema), Policy()).read_blocks(shard, 1)
    next(blocks)
    with shard.open("r+b") as file:
        file.truncate(3 * len(frame(record)))
    with pytest.raises(CorruptShardError) as caught:
        list(blocks)
    assert (caught.value.record, caught.value.offset) == (3, 3 * len(frame(record)))


def test_a_block_size_of_a_billion_takes_the_memory_of_the_shard(build, tmp_path: Path) -> None:
    shard = build.shard(tmp_path / "a", build.videos(20))
    tracemalloc.start()
    try:
        (block,) = TFRecordReader(Layout.of(build.video_schema), Policy()).read_blocks(shard, 10**9)
        assert tracemalloc.get_traced_memory()[1] < 3e6
    finally:
        tracemalloc.stop()
    assert len(block) == 20


def test_two_readings_at_a_time_do_not_disturb_each_other(build, tmp_path: Path) -> None:
    shards = [build.shard(tmp_path / name, build.videos(9, first)) for name, first in (("a", 0), ("b", 50))]
    source = TFRecordReader(Layout.of(build.video_schema), Policy())
    alone = [list(map(contents, source.read_blocks(shard, 2))) for shard in shards]
    together = zip(*(map(contents, source.read_blocks(shard, 2)) for shard in shards), strict=True)
    assert list(together) == list(zip(*alone, strict=True))


def test_what_is_no_shard_and_no_block_size_is_refused(build, tmp_path: Path) -> None:
    source = TFRecordReader(Layout.of(build.video_schema), Policy())
    with pytest.raises(NotFoundError, match="no such shard"):
        list(source.read_blocks(tmp_path / "none", 1))
    with pytest.raises(UsageError, match="at least 1 video"):
        source.read_blocks(tmp_path / "none", 0)
    (tmp_path / "empty").touch()
    assert list(source.read_blocks(tmp_path / "empty", 1)) == []
