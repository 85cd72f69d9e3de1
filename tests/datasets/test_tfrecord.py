"""The framing: every damaged bit and every cut is found where it is, and nothing huge is allocated."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress.datasets.formats.framing import (
    FOOTER_BYTES,
    HEADER_BYTES,
    frame,
    masked_crc,
    read_records,
    write_records,
)
from compress.datasets.policy import Policy
from compress.errors import CorruptShardError, DataError, NotFoundError, StorageError

SMALL = [b"first record", b"", b"the third and longest record of them"]


def slow_crc32c(data: bytes) -> int:
    """Bit by bit, reflected polynomial 0x82f63b78."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def first_error(path: Path) -> tuple[list[bytes], CorruptShardError]:
    intact = []
    try:
        for record in read_records(path):
            intact.append(record.data)
    except CorruptShardError as error:
        return intact, error
    pytest.fail("the damage was not found")


def test_masked_crc_equals_the_bitwise_one() -> None:
    for data in (b"", b"123456789", bytes(range(256))):
        crc = slow_crc32c(data)
        assert masked_crc(data) == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) % 2**32
    assert slow_crc32c(b"123456789") == 0xE3069283  # the check value of the CRC catalogue


def test_frame_has_the_documented_layout() -> None:
    framed = frame(b"abc")
    assert struct.unpack("<QI3sI", framed) == (3, masked_crc(framed[:8]), b"abc", masked_crc(b"abc"))


@given(records=st.lists(st.binary(max_size=200), min_size=1, max_size=8))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_what_is_written_is_read_with_its_offsets(tmp_path: Path, records: list[bytes]) -> None:
    path = tmp_path / "a.tfrecord"
    assert write_records(path, records) == len(records)
    read = list(read_records(path))
    assert [record.data for record in read] == records
    assert [record.index for record in read] == list(range(len(records)))
    assert [record.offset for record in read] == np.cumsum([0] + [16 + len(r) for r in records]).tolist()[:-1]


def test_every_flipped_bit_of_a_small_shard_is_found_at_its_record(tmp_path: Path) -> None:
    whole = b"".join(map(frame, SMALL))
    starts = np.cumsum([0] + [len(frame(record)) for record in SMALL])
    path = tmp_path / "a.tfrecord"
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        record = int(np.searchsorted(starts, bit // 8, side="right")) - 1
        intact, error = first_error(path)
        assert (error.offset, error.record, error.path) == (starts[record], record, path)
        assert intact == SMALL[:record]


def test_sampled_flips_in_a_shard_of_real_size_are_found_at_their_record(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    records = [random.bytes(4711 + size) for size in range(12)]
    whole = b"".join(map(frame, records))
    starts = np.cumsum([0] + [len(frame(record)) for record in records])
    path = tmp_path / "a.tfrecord"
    for bit in random.integers(0, 8 * len(whole), size=400).tolist():
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        _, error = first_error(path)
        assert error.offset == starts[int(np.searchsorted(starts, bit // 8, side="right")) - 1]


@pytest.mark.parametrize("content", [b"hi", b"Index,Name\n0,Game\n1,Video game\n", b"\0" * 100])
def test_what_does_not_begin_like_a_shard_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.txt").write_bytes(content)
    _, error = first_error(tmp_path / "notes.txt")
    assert error.what == "not a TFRecord file, or damaged in its first bytes"
    assert ".npy" in error.hint


def test_what_begins_like_a_shard_is_one_that_ends_early(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(frame(b"first") + b"hi")
    assert "the shard ends inside a header" in first_error(tmp_path / "a")[1].what
    (tmp_path / "a").write_bytes(frame(b"first")[:-1])
    assert "the shard ends early" in first_error(tmp_path / "a")[1].what


def test_every_cut_is_found_unless_it_falls_between_records(tmp_path: Path) -> None:
    whole = b"".join(map(frame, SMALL))
    starts = np.cumsum([0] + [len(frame(record)) for record in SMALL])
    path = tmp_path / "a.tfrecord"
    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        record = int(np.searchsorted(starts, cut, side="right")) - 1
        if cut in starts:
            assert [raw.data for raw in read_records(path)] == SMALL[:record]
        else:
            intact, error = first_error(path)
            assert (error.offset, intact) == (starts[record], SMALL[:record])


@pytest.mark.parametrize("claim", [2**60, 2**64 - 1, 10**10, 5])
def test_a_length_beyond_the_file_is_refused_without_allocating(tmp_path: Path, claim: int) -> None:
    length = struct.pack("<Q", claim)
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(b"good") + length + struct.pack("<I", masked_crc(length)) + b"1234")
    tracemalloc.start()
    intact, error = first_error(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert intact == [b"good"]
    assert error.offset == 20
    assert f"claims {claim} bytes" in str(error)
    assert peak < 8_000_000  # the read buffer is 1 MB


def test_the_message_names_file_record_offset_both_checksums_and_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes(frame(b"good") + frame(b"bad")[:-1] + b"\0")
    _, error = first_error(path)
    stored = struct.unpack("<I", frame(b"bad")[-4:-1] + b"\0")[0]
    assert str(error) == (
        f"{path}: record 1 at byte 20: data checksum is {masked_crc(b'bad'):08x}, stored is {stored:08x}; "
        "fetch it again, or leave damaged records out with --on-corrupt skip or --on-corrupt quarantine"
    )


@given(damaged=st.sets(st.integers(0, 9)), seed=st.integers(0, 1000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_skip_yields_exactly_the_untouched_records(tmp_path: Path, damaged: set[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    records = [random.bytes(int(random.integers(1, 50))) for _ in range(10)]
    framed = [bytearray(frame(record)) for record in records]
    for number in damaged:  # in the data or its checksum: the length stays right
        framed[number][int(random.integers(HEADER_BYTES, len(framed[number])))] ^= 0x10
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"".join(framed))
    policy = Policy("skip")
    for _ in range(2):  # a second reading counts nothing twice
        read = list(read_records(path, policy))
        assert [raw.index for raw in read] == [n for n in range(10) if n not in damaged]
        assert all(raw.data == records[raw.index] for raw in read)
        assert [skipped.record for skipped in policy.skipped] == sorted(damaged)
    assert [skipped.num_bytes for skipped in policy.skipped] == [len(framed[n]) for n in sorted(damaged)]


@pytest.mark.parametrize("byte", range(HEADER_BYTES))
def test_behind_a_damaged_length_nothing_is_guessed(tmp_path: Path, byte: int) -> None:
    whole = bytearray(b"".join(map(frame, SMALL)))
    start = len(frame(SMALL[0]))
    whole[start + byte] ^= 1
    path = tmp_path / "a.tfrecord"
    path.write_bytes(whole)
    policy = Policy("skip")
    assert [raw.data for raw in read_records(path, policy)] == SMALL[:1]
    (lost,) = policy.skipped
    assert (lost.offset, lost.record, lost.num_bytes) == (start, 1, len(whole) - start)
    assert lost.rest_of_shard


def test_an_empty_shard_is_not_written_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no records to write"):
        write_records(tmp_path / "a.tfrecord", [])
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_fails_half_way_leaves_the_old_shard(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    write_records(path, [b"old"])

    def half() -> object:
        yield b"new"
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_records(path, half())  # type: ignore[arg-type]
    assert [raw.data for raw in read_records(path)] == [b"old"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.tfrecord"]


def test_a_missing_shard_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such shard"):
        list(read_records(tmp_path / "none"))
    with pytest.raises(StorageError, match="cannot read"):
        list(read_records(tmp_path))


def test_framing_overhead_is_sixteen_bytes() -> None:
    assert len(frame(b"")) == HEADER_BYTES + FOOTER_BYTES == 16
