"""Shards that are compressed with gzip or zlib: read as they are, by C and by Python."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from compress.datasets.formats.framing import frame, masked_crc, read_records
from compress.datasets.source import open_source
from compress.errors import CorruptShardError
from tests.datasets.both_ways import both

Pack = Callable[[bytes], bytes]


def stored(data: bytes) -> bytes:
    return zlib.compress(data, 0)


def members(data: bytes) -> bytes:
    """Two gzip members and zeros behind, as `cat a.gz b.gz` and tape drives make them."""
    return gzip.compress(data[:77]) + gzip.compress(data[77:]) + bytes(512)


def shard(build, path: Path, pack: Pack, videos: int = 40) -> Path:
    path.write_bytes(pack(b"".join(map(frame, build.videos(videos)))))
    return path


@pytest.mark.parametrize(
    ("pack", "name"),
    [
        (gzip.compress, "a.tfrecord.gz"),
        (gzip.compress, "a.tfrecord"),
        (zlib.compress, "a.zz"),
        (stored, "a.tfrecord"),
        (members, "a.tfrecord.gz"),
    ],
)
def test_a_compressed_shard_has_the_records_of_the_plain_one(build, tmp_path, pack: Pack, name) -> None:
    plain, packed = shard(build, tmp_path / "plain.tfrecord", bytes), shard(build, tmp_path / name, pack)
    expected, _ = both(plain, build.video_schema)
    assert sum(len(block[0]) for block in expected.blocks) == 40
    for buffer in (None, 64):
        native, python = both(packed, build.video_schema, buffer=buffer)
        assert native == python == expected
    source = open_source([str(packed)], num_classes=10)
    assert source.schema == open_source([str(plain)], num_classes=10).schema


def test_frames_are_read_compressed_too(build, tmp_path: Path) -> None:
    plain = build.shard(tmp_path / "plain", build.frame_videos(20))
    packed = tmp_path / "a.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    native, python = both(packed, build.frame_schema)
    assert native == python == both(plain, build.frame_schema)[0]


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@pytest.mark.parametrize("damage", ["cut", "flipped", "checksum", "tail"])
def test_damage_in_the_compressed_data_is_one_clear_error(build, tmp_path, pack: Pack, damage: str) -> None:
    path = shard(build, tmp_path / "a.tfrecord", pack)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "flipped":
        data[len(data) // 2] ^= 255
    elif damage == "checksum":
        data[-5 if pack is gzip.compress else -1] ^= 1
    else:
        data += b"garbage"
    path.write_bytes(data)
    native, python = both(path, build.video_schema)
    assert native == python
    assert native.error.startswith("CorruptShardError")
    assert "compressed data" in native.error or "checksum" in native.error
    for policy in ("skip", "quarantine"):
        native, python = both(path, build.video_schema, policy)
        assert native == python
        assert not native.error
    kept = [data for name, data in native.quarantine.items() if name.endswith(".bin")]
    assert bytes(data) in kept  # the whole file: its rest alone could not be decompressed


def test_a_damaged_record_in_whole_compressed_data_is_left_out_alone(build, tmp_path: Path) -> None:
    records = [bytearray(frame(one)) for one in build.videos(9)]
    records[4][20] ^= 1
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(b"".join(records))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    native, python = both(packed, build.video_schema, "quarantine")
    assert native == python
    assert [name for block in native.blocks for name in block[0]] == [b"v%d" % n for n in range(9) if n != 4]
    (left_out,) = native.skipped
    assert (left_out.record, left_out.offset) == (4, len(b"".join(records[:4])))
    assert bytes(records[4]) in native.quarantine.values()


def test_a_huge_claim_and_a_bomb_take_little_memory(tmp_path: Path) -> None:
    size = (1 << 40).to_bytes(8, "little")
    claim = size + masked_crc(size).to_bytes(4, "little") + bytes(64 << 20)
    path = tmp_path / "a.tfrecord.gz"
    path.write_bytes(gzip.compress(claim, 1))
    tracemalloc.start()
    with pytest.raises(CorruptShardError, match="ends early"):
        list(read_records(path))
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()
