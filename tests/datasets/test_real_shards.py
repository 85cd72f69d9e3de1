"""Google's own files: both YouTube-8M releases, AudioSet, and home-made frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from compress.datasets import (
    AUDIOSET,
    YT8M_2017_VIDEO,
    YT8M_2018_FRAME,
    YT8M_2018_VIDEO,
    load_table,
    open_source,
    read_records,
    scan,
)
from compress.datasets import features_pb2 as messages
from compress.description import Description
from compress.errors import CorruptShardError, DataError, RecordError


def slow_video(data: bytes, id_key: str) -> tuple[bytes, list[int], list[float]]:
    feature = messages.Example.FromString(data).features.feature
    floats = [*feature["mean_rgb"].float_list.value, *feature["mean_audio"].float_list.value]
    return feature[id_key].bytes_list.value[0], sorted(feature["labels"].int64_list.value), floats


@pytest.mark.parametrize(
    ("name", "schema", "count", "first"),
    [
        ("yt8m-2018/train/validate0000.tfrecord", YT8M_2018_VIDEO, 284, b"02aa"),
        ("yt8m-2017/validatea0.tfrecord", YT8M_2017_VIDEO, 368, b"a0OhZbhxhvk"),
        ("yt8m-2017/testa0.tfrecord", YT8M_2017_VIDEO, 163, b"100273987"),
    ],
)
def test_video_level_equals_the_plain_message(shared_data, name, schema, count, first) -> None:
    source = open_source([str(shared_data / name)])
    assert source.schema == schema
    table = load_table(source)
    assert (len(table), table.ids[0]) == (count, first)
    for row, raw in enumerate(read_records(shared_data / name)):
        video_id, labels, floats = slow_video(raw.data, schema.id_key)
        assert table.ids[row] == video_id
        assert table.labels[row].tolist() == labels
        assert table.features[row].tolist() == floats


def test_the_test_shard_of_2017_has_no_labels(shared_data: Path) -> None:
    test, validate = (
        str(shared_data / "yt8m-2017" / f"{name}.tfrecord") for name in ("testa0", "validatea0")
    )
    assert scan(open_source([test])).labels is None
    assert scan(open_source([validate])).labels.counts().mean() == pytest.approx(3.478, abs=0.001)
    with pytest.raises(DataError, match=r"none of its .* videos has labels"):
        scan(open_source([test], require_labels=True))


def test_the_2018_shards_hold_what_the_release_says(shared_data: Path) -> None:
    source = open_source([f"{shared_data}/yt8m-2018/validate/*.tfrecord"])
    found = scan(source)
    assert source.schema == YT8M_2018_VIDEO
    assert (len(found), len(found.rows_per_shard)) == (5701, 20)
    assert found.labels.counts().mean() == pytest.approx(3.0, abs=0.05)
    assert found.labels.counts().min() >= 1


def test_audioset_is_ten_seconds_of_128_bytes(shared_data: Path) -> None:
    path = shared_data / "audioset" / "train" / "train00.tfrecord"
    source = open_source([str(path)])
    assert source.schema == AUDIOSET
    table = load_table(source)
    assert (len(table), table.frames.shape[1], table.num_frames.max()) == (1409, 128, 10)
    raw = next(read_records(path))
    steps = (
        messages.SequenceExample.FromString(raw.data).feature_lists.feature_list["audio_embedding"].feature
    )
    frames, _, labels = table.batch(np.array([0]))
    assert [bytes(frame) for frame in frames[0]] == [step.bytes_list.value[0] for step in steps]
    assert np.flatnonzero(labels[0]).tolist() == [399]


def test_home_made_frames_read_as_frame_level(shared_data: Path) -> None:
    source = open_source([f"{shared_data}/odd/home_made_frames_*.tfrecord"])
    assert source.schema == YT8M_2018_FRAME
    table = load_table(source)
    assert table.num_frames.tolist() == [141, 184]
    assert not table.frames[:, 1024:].any()  # the audio of these is all zero


def test_malformed_frames_are_refused_with_the_place_and_the_reason(shared_data: Path) -> None:
    path = shared_data / "odd" / "malformed_frames.tfrecord"
    source = open_source([str(path)], num_classes=40)
    assert source.schema.float_frames
    with pytest.raises(RecordError) as caught:
        scan(source)
    assert str(caught.value).startswith(
        f"{path}: record 0 at byte 0, id A591_h1i_h1j_YT_FB_Cricket_Data_Bank.mov: "
        "frame 0 of 'audio' has 299 floats, 600 floats expected"
    )
    rgb = open_source([str(path)], num_classes=40, description=Description(features=("rgb",)))
    assert [len(record.frames) for record in rgb.read(path)] == [15, 30, 31]
    good = shared_data / "odd" / "home_made_frames_141.tfrecord"
    source = open_source([str(good), str(path)], on_corrupt="skip")
    assert len(scan(source)) == 1
    assert [(one.record, one.reason) for one in source.skipped] == [
        (number, "frame 0 of 'rgb' holds floats instead of bytes") for number in range(3)
    ]


def test_flips_in_a_real_shard_are_found_with_exact_offsets(shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "yt8m-2018" / "train" / "validate0000.tfrecord").read_bytes()[:60_000]
    path = tmp_path / "a.tfrecord"
    path.write_bytes(whole)
    with pytest.raises(CorruptShardError) as cut:
        list(read_records(path))
    whole = whole[: cut.value.offset]  # the last record was cut above
    path.write_bytes(whole)
    starts = np.array([raw.offset for raw in read_records(path)])
    random = np.random.default_rng(0)
    for bit in random.integers(0, 8 * len(whole), size=200).tolist():
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << (bit % 8)
        path.write_bytes(damaged)
        with pytest.raises(CorruptShardError) as caught:
            list(read_records(path))
        assert caught.value.offset == starts[np.searchsorted(starts, bit // 8, side="right") - 1]
