"""The messages in TFRecord shards: bytes of tf.Example and tf.SequenceExample <-> records.

Errors say what is wrong; the reader of the shard adds file, record, offset and id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from compress.datasets import features_pb2 as messages
from compress.datasets.formats.layout import (
    ID_KEYS,
    KIND_WORDS,
    LABELS_KEY,
    SEGMENT_MARK,
    SYNTHETIC_MARK,
    FeatureMap,
    Layout,
)
from compress.datasets.record import FrameRecord, SegmentRecord, VideoRecord
from compress.datasets.schema import FeatureSchema
from compress.datasets.validation import check_features, check_frames, check_id, check_segments, pack_labels
from compress.errors import RecordError

_FLOAT_BYTES = 4


def _values(features: FeatureMap, name: str, kind: str) -> Sequence[Any] | None:
    """The values of a feature, None when it is missing; RecordError when it is of another kind."""
    feature = features.get(name)
    if feature is None:
        return None
    found = feature.WhichOneof("kind")
    if found is not None and found != kind:
        raise RecordError(f"feature '{name}' holds {KIND_WORDS[found]} instead of {KIND_WORDS[kind]}")
    content: Sequence[Any] = getattr(feature, kind).value
    return content


def _needed_values(features: FeatureMap, name: str, kind: str) -> Sequence[Any]:
    """As `_values`, but a missing feature is a RecordError that names those present."""
    found = _values(features, name, kind)
    if found is None:
        present = ", ".join(sorted(features)) or "none"
        raise RecordError(f"feature '{name}' is missing (present: {present})")
    return found


def _id_and_labels(features: FeatureMap, layout: Layout, require_labels: bool) -> tuple[bytes, np.ndarray]:
    found = _needed_values(features, layout.id_key, "bytes_list")
    if len(found) != 1:
        raise RecordError(f"feature '{layout.id_key}' has {len(found)} values, one expected")
    video_id = bytes(found[0])
    check_id(video_id)
    classes = _values(features, layout.labels_key, "int64_list") or ()
    return video_id, pack_labels(classes, layout.schema.num_classes, require_labels)


def _integers(features: FeatureMap, name: str) -> np.ndarray:
    """A feature of integers, int64 (n,)."""
    return np.array(list(_needed_values(features, name, "int64_list")), dtype=np.int64)


def describe_id(data: bytes) -> str:
    """The id inside a defective record as far as it can be read, for an error message."""
    try:
        context = messages.SequenceExample.FromString(data).context.feature
    except DecodeError:
        return "unknown"
    for key in ID_KEYS:
        feature = context.get(key)
        if feature is not None and feature.bytes_list.value:
            return feature.bytes_list.value[0][:64].decode(errors="backslashreplace") or "empty"
    return "unknown"


class VideoParser:
    """Parses and validates records of a video-level schema; see `FrameParser`."""

    def __init__(self, layout: Layout, require_labels: bool = False) -> None:
        self._layout, self._schema, self._require_labels = layout, layout.schema, require_labels
        sizes = [_FLOAT_BYTES * dim for dim in layout.sizes]
        self._sizes = [
            (name, size, messages.PackedFloatList(value=[bytes(size)]).ByteSize())
            for name, size in zip(layout.keys, sizes, strict=True)
        ]

    def __call__(self, data: bytes) -> VideoRecord:
        """The record in `data`; RecordError (without its place) when anything is wrong with it."""
        try:
            found: FeatureMap = messages.PackedExample.FromString(data).features.feature
        except DecodeError as error:
            raise RecordError("is not a tf.Example, though its checksum is right") from error
        name, labels = _id_and_labels(found, self._layout, self._require_labels)
        features = self._packed(found)
        if features is None:
            features = self._unpacked(data)
        check_features(features, self._schema)
        return VideoRecord(name, labels, features)

    def _packed(self, found: FeatureMap) -> np.ndarray | None:
        """The features, read from their packed bytes; None unless each is one packed piece of its size."""
        pieces = []
        for name, size, size_on_wire in self._sizes:
            feature = found.get(name)
            if feature is None:
                return None
            floats = feature.float_list
            # The size on the wire counts unknown fields: unpacked floats beside the packed ones.
            if floats.ByteSize() != size_on_wire or [*map(len, floats.value)] != [size]:
                return None
            pieces.append(floats.value[0])
        return np.frombuffer(b"".join(pieces), dtype="<f4")

    def _unpacked(self, data: bytes) -> np.ndarray:
        """The features in any legal encoding, with an exact error when they are invalid."""
        try:
            found: FeatureMap = messages.Example.FromString(data).features.feature
        except DecodeError as error:
            raise RecordError("a feature holds packed floats whose size is no multiple of 4") from error
        parts = []
        for name, dim in zip(self._layout.keys, self._layout.sizes, strict=True):
            part = np.array(list(_needed_values(found, name, "float_list")), dtype=np.float32)
            if len(part) != dim:
                raise RecordError(f"feature '{name}' has {len(part)} values, {dim} expected")
            parts.append(part)
        return np.concatenate(parts)


class FrameParser:
    """Parses and validates records of a frame-level schema; frames after `schema.max_frames` are cut.

    With `require_labels`, a record without labels is an error.
    """

    def __init__(self, layout: Layout, require_labels: bool = False) -> None:
        self._layout, self._schema, self._require_labels = layout, layout.schema, require_labels

    def __call__(self, data: bytes) -> FrameRecord:
        """The record in `data`; RecordError (without its place) when anything is wrong with it."""
        try:
            message = messages.SequenceExample.FromString(data)
        except DecodeError as error:
            raise RecordError("is not a tf.SequenceExample, though its checksum is right") from error
        context: FeatureMap = message.context.feature
        name, labels = _id_and_labels(context, self._layout, self._require_labels)
        frames = self._frames(message.feature_lists.feature_list)
        if SEGMENT_MARK not in context:
            return FrameRecord(name, labels, frames)
        return self._with_segments(FrameRecord(name, labels, frames), context)

    def _frames(self, lists: FeatureMap) -> np.ndarray:
        names, dims = self._layout.keys, self._layout.sizes
        parts = [_steps(lists, name, dim) for name, dim in zip(names, dims, strict=True)]
        if len({len(part) for part in parts}) > 1:
            counts = ", ".join(f"{len(part)} of '{name}'" for name, part in zip(names, parts, strict=True))
            raise RecordError(f"frame counts differ: {counts}")
        frames = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        check_frames(frames, self._schema)
        return frames[: self._schema.max_frames]

    def _with_segments(self, record: FrameRecord, context: FeatureMap) -> SegmentRecord:
        scores = _needed_values(context, "segment_scores", "float_list")
        labels = _integers(context, "segment_labels")
        if ((labels < 0) | (labels >= self._schema.num_classes)).any():
            raise RecordError(f"a segment label is outside [0, {self._schema.num_classes})")
        segments = SegmentRecord(
            record.video_id,
            record.labels,
            record.frames,
            _integers(context, SEGMENT_MARK),
            _integers(context, "segment_end_times"),
            labels.astype(np.int32),
            np.array(list(scores), dtype=np.float32),
        )
        check_segments(segments, self._schema.num_classes)
        return segments


def _steps(lists: FeatureMap, name: str, dim: int) -> np.ndarray:
    """One feature list as uint8 (T, dim); every frame is one value of `dim` bytes."""
    steps = lists.get(name)
    if steps is None:
        present = ", ".join(sorted(lists)) or "none"
        raise RecordError(f"feature list '{name}' is missing (present: {present})")
    found = [step.bytes_list.value for step in steps.feature]
    chunks = [value[0] for value in found if len(value) == 1]
    if len(chunks) == len(found) and set(map(len, chunks)) <= {dim}:
        return np.frombuffer(b"".join(chunks), dtype=np.uint8).reshape(-1, dim)
    for number, step in enumerate(steps.feature):
        _check_step(step, name, dim, number)
    raise RecordError(f"feature list '{name}' cannot be read")


def _check_step(step: messages.Feature, name: str, dim: int, number: int) -> None:
    kind = step.WhichOneof("kind")
    if kind not in ("bytes_list", None):
        raise RecordError(f"frame {number} of '{name}' holds {KIND_WORDS[kind]} instead of bytes")
    sizes = [len(value) for value in step.bytes_list.value]
    if sizes != [dim]:
        raise RecordError(f"frame {number} of '{name}' has {sum(sizes)} bytes, {dim} expected")


def serialize_video(record: VideoRecord, schema: FeatureSchema) -> bytes:
    """A tf.Example; `labels` is absent when there are none, as in the official test shards."""
    message = messages.PackedExample()
    features = message.features.feature
    features[schema.id_key].bytes_list.value.append(record.video_id)
    if len(record.labels):
        features[LABELS_KEY].int64_list.value.extend(record.labels.tolist())
    for name, part in _parts(record.features, schema):
        features[name].float_list.value.append(part.astype("<f4", copy=False).tobytes())
    # Without `deterministic` the order of the features differs between processes.
    return message.SerializeToString(deterministic=True)


def serialize_frames(record: FrameRecord, schema: FeatureSchema) -> bytes:
    """A tf.SequenceExample, one bytes value per frame; marked when the frames are synthetic."""
    message = messages.SequenceExample()
    context = message.context.feature
    context[schema.id_key].bytes_list.value.append(record.video_id)
    if len(record.labels):
        context[LABELS_KEY].int64_list.value.extend(record.labels.tolist())
    if schema.synthetic_frames:
        context[SYNTHETIC_MARK].int64_list.value.append(1)
    for name, part in _parts(record.frames, schema):
        steps = message.feature_lists.feature_list[name].feature
        for frame in part:
            steps.add().bytes_list.value.append(frame.tobytes())
    return message.SerializeToString(deterministic=True)


def _parts(values: np.ndarray, schema: FeatureSchema) -> Iterator[tuple[str, np.ndarray]]:
    """Each feature by name: the columns of `values`, (..., D), that are its own."""
    start = 0
    for name, dim in zip(schema.names, schema.dims, strict=True):
        yield name, values[..., start : start + dim]
        start += dim
