"""tf.SequenceExample -> FrameRecord and SegmentRecord."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.datasets import features_pb2 as messages
from compress.datasets.formats.examples import FrameParser
from compress.datasets.record import FrameRecord, SegmentRecord
from compress.errors import RecordError

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
    record = FrameParser(build.frame_schema)(build.frames(rgb=rgb, audio=audio))
    assert type(record) is FrameRecord
    assert record.frames.dtype == np.uint8
    np.testing.assert_array_equal(record.frames, frames)
    assert (record.video_id, record.labels.tolist()) == (b"abcd", [1, 2])


@pytest.mark.parametrize(("cut", "kept"), [(None, 5), (7, 5), (5, 5), (2, 2)])
def test_max_frames_cuts_the_end(build, cut: int | None, kept: int) -> None:
    schema = replace(build.frame_schema, max_frames=cut)
    rgb, audio = [bytes([n]) * 6 for n in range(5)], [bytes([n]) * 3 for n in range(5)]
    record = FrameParser(schema)(build.frames(rgb=rgb, audio=audio))
    assert record.frames[:, 0].tolist() == list(range(kept))


def test_a_record_with_segments_carries_them(build) -> None:
    record = FrameParser(build.frame_schema)(build.frames(**SEGMENTS))
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
DEFECTS = {
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
    "floats": (with_float_frames, "frame 0 of 'rgb' holds floats where bytes belong"),
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


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defective_record_is_refused_with_the_reason(build, defect: str) -> None:
    make, message = DEFECTS[defect]
    with pytest.raises(RecordError, match=message):
        FrameParser(build.frame_schema)(make(build))


@given(position=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_byte_gives_a_valid_record_or_a_record_error(build, position: int, byte: int) -> None:
    data = bytearray(build.frames(**SEGMENTS))
    data[position % len(data)] = byte
    try:
        record = FrameParser(build.frame_schema)(bytes(data))
    except RecordError:
        return
    assert record.frames.ndim == 2
    assert record.frames.shape[1] == 9
    assert len(record.frames) >= 1
