"""The C reader against the Python reader: the same blocks, errors, skipped records and quarantined bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress.datasets import AUDIOSET, YT8M_2017_VIDEO, YT8M_2018_FRAME, YT8M_2018_VIDEO
from compress.datasets.formats import native_buffers
from compress.datasets.formats.framing import frame
from compress.datasets.schema import FeatureSchema
from tests.datasets.both_ways import both
from tests.datasets.wire_records import examples, sequences

pytestmark = pytest.mark.skipif(native_buffers.load() is None, reason="the C code was not compiled")
relaxed = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=100)
POLICIES = st.sampled_from(["fail", "skip", "quarantine"])
BUFFERS = st.sampled_from([None, 64, 1000])


def assert_same(shard: Path, schema: FeatureSchema, **how: object) -> None:
    native, python = both(shard, schema, **how)
    assert native == python


@pytest.fixture
def schema_of(build):
    return {"video": build.video_schema, "frame": build.frame_schema}


@pytest.mark.parametrize(("level", "records"), [("video", examples()), ("frame", sequences())])
@given(data=st.data())
@relaxed
def test_records_in_any_encoding_read_the_same(tmp_path, schema_of, level, records, data) -> None:
    shard = tmp_path / "a.tfrecord"
    shard.write_bytes(b"".join(frame(data.draw(records)) for _ in range(data.draw(st.integers(1, 6)))))
    schema = schema_of[level]
    if level == "frame":
        schema = replace(schema, max_frames=data.draw(st.sampled_from([None, 1, 4])))
    assert_same(
        shard,
        schema,
        on_corrupt=data.draw(POLICIES),
        videos=data.draw(st.integers(1, 4)),
        buffer=data.draw(BUFFERS),
    )


@pytest.mark.parametrize("level", ["video", "frame"])
@given(changes=st.lists(st.tuples(st.integers(0), st.integers(1, 255)), max_size=3), data=st.data())
@relaxed
def test_records_with_changed_bytes_and_right_checksums_read_the_same(
    tmp_path, build, schema_of, level, changes, data
) -> None:
    records = [bytearray(one) for one in (build.videos(4) if level == "video" else build.frame_videos(4))]
    for place, change in changes:
        record = records[place % 4]
        record[place // 4 % len(record)] ^= change
    shard = build.shard(tmp_path / "a", map(bytes, records))
    assert_same(shard, schema_of[level], on_corrupt=data.draw(POLICIES), buffer=data.draw(BUFFERS))


@pytest.mark.parametrize("level", ["video", "frame"])
@given(
    bits=st.lists(st.integers(0), max_size=3),
    cut=st.one_of(st.none(), st.integers(0)),
    on_corrupt=POLICIES,
    buffer=BUFFERS,
)
@relaxed
def test_flipped_bits_and_cuts_are_told_the_same(
    tmp_path, build, schema_of, level, bits, cut, on_corrupt, buffer
) -> None:
    records = build.videos(6) if level == "video" else build.frame_videos(6)
    content = bytearray(b"".join(map(frame, records)))
    for bit in bits:
        content[bit // 8 % len(content)] ^= 1 << bit % 8
    shard = tmp_path / "a.tfrecord"
    shard.write_bytes(content if cut is None else content[: cut % len(content)])
    assert_same(shard, schema_of[level], on_corrupt=on_corrupt, buffer=buffer, videos=2)


@pytest.mark.parametrize("buffer", [64, 4096, None])
@pytest.mark.parametrize("largest", [100, 1 << 26])
def test_records_larger_than_the_buffer_and_than_c_reads_are_read(build, tmp_path, buffer, largest) -> None:
    for schema, records in (
        (build.video_schema, [*build.videos(3), build.video(b"x" * 900), *build.videos(3, 9)]),
        (build.frame_schema, [build.frames(b"f", [1], [b"abcdef"] * n, [b"abc"] * n) for n in (1, 900, 2)]),
    ):
        shard = build.shard(tmp_path / schema.level, records)
        native, python = both(shard, schema, buffer=buffer, largest=largest)
        assert native == python
        assert not native.error


@pytest.mark.parametrize(
    ("pattern", "schema", "error"),
    [
        ("yt8m-2018/train/validate000[0-3].tfrecord", YT8M_2018_VIDEO, ""),
        ("yt8m-2017/*.tfrecord", YT8M_2017_VIDEO, ""),
        ("audioset/train/train0[01].tfrecord", AUDIOSET, ""),
        ("audioset/train/train02.tfrecord", replace(AUDIOSET, max_frames=7), ""),
        ("odd/home_made_frames_*.tfrecord", YT8M_2018_FRAME, ""),
        ("odd/malformed_frames.tfrecord", YT8M_2018_FRAME, "floats instead of bytes"),
        ("yt8m-2017/validatea0.tfrecord", YT8M_2018_VIDEO, "feature 'id' is missing"),
    ],
)
@pytest.mark.parametrize("on_corrupt", ["fail", "skip"])
def test_real_shards_read_the_same(shared_data: Path, pattern, schema, error, on_corrupt) -> None:
    shards = sorted(shared_data.glob(pattern))
    assert shards
    for shard in shards:
        native, python = both(shard, schema, on_corrupt, videos=100)
        assert native == python
        assert bool(native.error) == (bool(error) and on_corrupt == "fail")
        assert error in native.error or on_corrupt == "skip"


def test_a_damaged_real_shard_reads_the_same(shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "yt8m-2018" / "train" / "validate0000.tfrecord").read_bytes()
    random = np.random.default_rng(0)
    for at in random.integers(0, len(whole), size=6).tolist():
        damaged = bytearray(whole)
        damaged[at] ^= 1 << int(random.integers(8))
        (tmp_path / "a").write_bytes(damaged)
        assert_same(tmp_path / "a", YT8M_2018_VIDEO, on_corrupt="quarantine", videos=50)
