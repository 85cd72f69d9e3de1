"""tf.Example and tf.SequenceExample -> records: any legal encoding gives the same, each defect its error."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.datasets import features_pb2 as messages
from compress.datasets.formats.examples import FrameParser, VideoParser
from compress.datasets.formats.layout import Layout
from compress.datasets.record import FrameRecord, SegmentRecord
from compress.errors import RecordError

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def wire(*fields: tuple[int, bytes]) -> bytes:
    """Length-delimited protobuf fields, written by hand."""
    return b"".join(bytes([number << 3 | 2, *_varint(len(data))]) + data for number, data in fields)


def _varint(value: int) -> list[int]:
    return [value] if value < 128 else [value & 127 | 128, *_varint(value >> 7)]


def feature(name: bytes, kind: int, content: bytes) -> tuple[int, bytes]:
    return 1, wire((1, name), (2, wire((kind, content))))


def example(rgb_list: bytes, audio_list: bytes) -> bytes:
    return wire(
        (
            1,
            wire(
                feature(b"id", 1, wire((1, b"abcd"))),
                feature(b"mean_rgb", 2, rgb_list),
                feature(b"mean_audio", 2, audio_list),
            ),
        )
    )


def packed(values: list[float]) -> bytes:
    return wire((1, struct.pack(f"<{len(values)}f", *values)))


def unpacked(values: list[float]) -> bytes:
    return b"".join(b"\x0d" + struct.pack("<f", value) for value in values)


@given(rgb=st.lists(FLOATS, min_size=6, max_size=6), audio=st.lists(FLOATS, min_size=3, max_size=3))
def test_packed_unpacked_and_split_floats_give_the_same_features(build, rgb, audio) -> None:
    parse = VideoParser(Layout.of(build.video_schema))
    wanted = np.array(rgb + audio, dtype=np.float32)
    writers = (packed, unpacked, lambda values: packed(values[:2]) + packed(values[2:]))
    for first in writers:
        for second in writers:
            record = parse(example(first(rgb), second(audio)))
            assert record.features.tobytes() == wanted.tobytes()
            assert record.features.dtype == np.float32
            assert (record.video_id, record.labels.tolist()) == (b"abcd", [])


def test_floats_that_stand_unpacked_beside_the_packed_ones_are_counted(build) -> None:
    mixed = example(packed([1] * 6) + unpacked([2]), packed([3] * 3))
    with pytest.raises(RecordError, match="feature 'mean_rgb' has 7 values, 6 expected"):
        VideoParser(Layout.of(build.video_schema))(mixed)


def test_unknown_fields_of_just_the_size_of_the_floats_are_not_taken_for_them(build) -> None:
    unknown = example(wire((2, bytes(24))), packed([3] * 3))
    with pytest.raises(RecordError, match="feature 'mean_rgb' has 0 values, 6 expected"):
        VideoParser(Layout.of(build.video_schema))(unknown)


def test_labels_come_sorted_without_duplicates(build) -> None:
    record = VideoParser(Layout.of(build.video_schema))(build.video(labels=[9, 0, 3, 9]))
    assert record.labels.tolist() == [0, 3, 9]
    assert record.labels.dtype == np.int32


def test_features_keep_the_order_of_the_schema_not_of_the_record(build) -> None:
    features = VideoParser(Layout.of(build.video_schema))(build.video(rgb=range(6), audio=[6, 7, 8])).features
    assert features.tolist() == list(range(9))


def test_large_finite_features_are_accepted(build) -> None:
    record = VideoParser(Layout.of(build.video_schema))(build.video(rgb=[3e38, -3e38, 3e38, 3e38, 0, 0]))
    assert record.features[0] == np.float32(3e38)


def with_text_labels(build) -> bytes:
    message = messages.Example.FromString(build.video(labels=None))
    message.features.feature["labels"].bytes_list.value.append(b"cat")
    return message.SerializeToString()


def with_byte_features(build) -> bytes:
    message = messages.Example.FromString(build.video(rgb=None))
    message.features.feature["mean_rgb"].bytes_list.value.append(bytes(24))
    return message.SerializeToString()


def with_two_ids(build) -> bytes:
    message = messages.Example.FromString(build.video())
    message.features.feature["id"].bytes_list.value.append(b"second")
    return message.SerializeToString()


DEFECTS = {
    "nan": (lambda b: b.video(rgb=[0, 0, float("nan"), 0, 0, 0]), "feature 'mean_rgb' is nan at position 2"),
    "inf": (lambda b: b.video(audio=[0, float("-inf"), 0]), "feature 'mean_audio' is -inf at position 1"),
    "inf cancels": (lambda b: b.video(audio=[float("inf"), float("-inf"), 0]), "is inf at position 0"),
    "short": (lambda b: b.video(rgb=[1, 2]), "feature 'mean_rgb' has 2 values, 6 expected"),
    "long": (lambda b: b.video(audio=[0] * 4), "feature 'mean_audio' has 4 values, 3 expected"),
    "empty": (lambda b: b.video(rgb=[]), "feature 'mean_rgb' has 0 values, 6 expected"),
    "missing": (
        lambda b: b.video(audio=None),
        r"feature 'mean_audio' is missing \(present: id, labels, mean_rgb\)",
    ),
    "bytes": (with_byte_features, "feature 'mean_rgb' holds bytes instead of floats"),
    "odd size": (lambda b: example(wire((1, b"abcde")), packed([1] * 3)), "whose size is no multiple of 4"),
    "negative": (lambda b: b.video(labels=[-1, 2]), r"label -1 is outside \[0, 10\)"),
    "too large": (lambda b: b.video(labels=[1, 10]), r"label 10 is outside \[0, 10\)"),
    "huge": (lambda b: b.video(labels=[2**62]), r"label 4611686018427387904 is outside"),
    "text labels": (with_text_labels, "feature 'labels' holds bytes instead of integers"),
    "no id": (lambda b: b.video(video_id=None), "feature 'id' is missing"),
    "empty id": (lambda b: b.video(video_id=b""), "the video id is empty"),
    "latin-1 id": (lambda b: b.video(video_id=b"caf\xe9"), "the video id is not UTF-8"),
    "nul id": (lambda b: b.video(video_id=b"ab\0"), "contains a NUL byte"),
    "long id": (lambda b: b.video(video_id=b"x" * 1025), "1025 bytes, at most 1024"),
    "two ids": (with_two_ids, "feature 'id' has 2 values, one expected"),
    "not protobuf": (lambda b: b"\xff\xff\xff", "is not a tf.Example, though its checksum is right"),
    "empty message": (lambda b: b"", r"feature 'id' is missing \(present: none\)"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defective_record_is_refused_with_the_reason(build, defect: str) -> None:
    make, message = DEFECTS[defect]
    with pytest.raises(RecordError, match=message):
        VideoParser(Layout.of(build.video_schema))(make(build))


@pytest.mark.parametrize("labels", [None, []])
def test_missing_labels_are_no_error(build, labels) -> None:
    data = build.video(labels=labels)
    assert len(VideoParser(Layout.of(build.video_schema))(data).labels) == 0


@given(data=st.binary(max_size=300))
def test_arbitrary_bytes_give_a_record_error_and_nothing_else(build, data: bytes) -> None:
    with pytest.raises(RecordError):
        VideoParser(Layout.of(build.video_schema))(data)


@given(position=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_byte_gives_a_valid_record_or_a_record_error(build, position: int, byte: int) -> None:
    data = bytearray(build.video())
    data[position % len(data)] = byte
    try:
        record = VideoParser(Layout.of(build.video_schema))(bytes(data))
    except RecordError:
        return
    assert record.features.shape == (9,)
    assert np.isfinite(record.features).all()
    assert set(record.labels.tolist()) <= set(range(10))


SEGMENTS = {
    "integers": {
        "segment_start_times": [0, 5],
        "segment_end_times": [5, 10],
        "segment_labels": [3, 9],
    },
    "floats": {"segment_scores": [1.0, 0.0]},
}


@given(length=st.integers(1, 400), seed=st.integers(0, 100))
def test_frames_are_rgb_then_audio_of_each_second(build, length: int, seed: int) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, size=(length, 9), dtype=np.uint8)
    rgb, audio = [row[:6].tobytes() for row in frames], [row[6:].tobytes() for row in frames]
    record = FrameParser(Layout.of(build.frame_schema))(build.frames(rgb=rgb, audio=audio))
    assert type(record) is FrameRecord
    assert record.frames.dtype == np.uint8
    np.testing.assert_array_equal(record.frames, frames)
    assert (record.video_id, record.labels.tolist()) == (b"abcd", [1, 2])


@pytest.mark.parametrize(("cut", "kept"), [(None, 5), (7, 5), (5, 5), (2, 2)])
def test_max_frames_cuts_the_end(build, cut: int | None, kept: int) -> None:
    schema = replace(build.frame_schema, max_frames=cut)
    rgb, audio = [bytes([n]) * 6 for n in range(5)], [bytes([n]) * 3 for n in range(5)]
    record = FrameParser(Layout.of(schema))(build.frames(rgb=rgb, audio=audio))
    assert record.frames[:, 0].tolist() == list(range(kept))


def test_a_record_with_segments_carries_them(build) -> None:
    record = FrameParser(Layout.of(build.frame_schema))(build.frames(**SEGMENTS))
    assert isinstance(record, SegmentRecord)
    assert record.segment_start.tolist() == [0, 5]
    assert record.segment_end.tolist() == [5, 10]
    assert record.segment_labels.tolist() == [3, 9]
    assert record.segment_scores.tolist() == [1, 0]
    assert record.frames.shape == (2, 9)


def segments(build, **changes: object) -> bytes:
    integers = {**SEGMENTS["integers"], **changes}
    floats = {"segment_scores": integers.pop("segment_scores", [1.0, 0.0])}
    return build.frames(
        integers={name: value for name, value in integers.items() if value is not None},
        floats={name: value for name, value in floats.items() if value is not None},
    )


def with_float_frames(build) -> bytes:
    message = messages.SequenceExample.FromString(build.frames(rgb=[]))
    message.feature_lists.feature_list["rgb"].feature.add().float_list.value.extend([0.0] * 6)
    return message.SerializeToString()


def with_two_values_in_a_frame(build) -> bytes:
    message = messages.SequenceExample.FromString(build.frames())
    message.feature_lists.feature_list["rgb"].feature[1].bytes_list.value.append(b"abcdef")
    return message.SerializeToString()


SIX, THREE = b"abcdef", b"abc"
FRAME_DEFECTS = {
    "counts differ": (
        lambda b: b.frames(rgb=[SIX] * 3, audio=[THREE] * 2),
        "frame counts differ: 3 of 'rgb', 2 of 'audio'",
    ),
    "no frames": (lambda b: b.frames(rgb=[], audio=[]), "has no frames"),
    "short frame": (lambda b: b.frames(rgb=[SIX, b"abc"]), "frame 1 of 'rgb' has 3 bytes, 6 expected"),
    "sizes that sum up": (
        lambda b: b.frames(rgb=[b"abcdefg", b"abcde"]),
        "frame 0 of 'rgb' has 7 bytes, 6 expected",
    ),
    "empty frame": (lambda b: b.frames(audio=[b"", THREE]), "frame 0 of 'audio' has 0 bytes, 3 expected"),
    "missing list": (
        lambda b: b.frames(audio=None),
        r"feature list 'audio' is missing \(present: rgb\)",
    ),
    "floats": (with_float_frames, "frame 0 of 'rgb' holds floats instead of bytes"),
    "two values": (with_two_values_in_a_frame, "frame 1 of 'rgb' has 12 bytes, 6 expected"),
    "video level": (lambda b: b.video(), r"feature list 'rgb' is missing \(present: none\)"),
    "label": (lambda b: b.frames(labels=[10]), r"label 10 is outside \[0, 10\)"),
    "id": (lambda b: b.frames(video_id=b"\xff"), "the video id is not UTF-8"),
    "not protobuf": (lambda b: b"\xff\xff\xff", "is not a tf.SequenceExample"),
    "segment numbers": (lambda b: segments(b, segment_labels=[3]), "differ in number"),
    "segment times": (lambda b: segments(b, segment_end_times=[5, 5]), "ends before it starts"),
    "segment start": (lambda b: segments(b, segment_start_times=[-1, 5]), "ends before it starts"),
    "segment label": (lambda b: segments(b, segment_labels=[3, 10]), r"segment label is outside \[0, 10\)"),
    "segment label, huge": (lambda b: segments(b, segment_labels=[3, -(2**63)]), "segment label is outside"),
    "segment scores": (lambda b: segments(b, segment_scores=[1.0, float("nan")]), "score is NaN"),
    "segment scores missing": (lambda b: segments(b, segment_scores=None), "'segment_scores' is missing"),
}


@pytest.mark.parametrize("defect", FRAME_DEFECTS)
def test_a_defective_record_of_frames_is_refused_with_the_reason(build, defect: str) -> None:
    make, message = FRAME_DEFECTS[defect]
    with pytest.raises(RecordError, match=message):
        FrameParser(Layout.of(build.frame_schema))(make(build))


@given(position=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_byte_of_frames_gives_a_record_or_a_record_error(build, position: int, byte: int) -> None:
    data = bytearray(build.frames(**SEGMENTS))
    data[position % len(data)] = byte
    try:
        record = FrameParser(Layout.of(build.frame_schema))(bytes(data))
    except RecordError:
        return
    assert record.frames.ndim == 2
    assert record.frames.shape[1] == 9
    assert len(record.frames) >= 1
