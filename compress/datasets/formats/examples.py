"""The messages in TFRecord shards: bytes of tf.Example and tf.SequenceExample <-> records.

Errors say what is wrong; the reader of the shard adds file, record, offset and id.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from compress.datasets.formats.segments import with_segments
from compress.datasets.formats.values import needed_values, values
from compress.datasets.record import FrameRecord, VideoRecord
from compress.datasets.schema import FeatureSchema
from compress.datasets.validation import check_features, check_frames, check_id, pack_labels
from compress.errors import RecordError

_FLOAT_BYTES = 4


def _id_and_labels(features: FeatureMap, layout: Layout, invented: bytes) -> tuple[bytes, np.ndarray]:
    video_id = invented
    if layout.id_key:
        found = needed_values(features, layout.id_key, "bytes_list")
        if len(found) != 1:
            raise RecordError(f"feature '{layout.id_key}' has {len(found)} values, one expected")
        video_id = bytes(found[0])
    elif named := [key for key in ID_KEYS if key in features]:
        raise RecordError(f"has the id '{named[0]}', which the first records do not have")
    check_id(video_id)
    classes = values(features, layout.labels_key, "int64_list") or ()
    return video_id, pack_labels(classes, layout.schema.num_classes)


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

    def __init__(self, layout: Layout) -> None:
        self._layout, self._schema = layout, layout.schema
        sizes = [_FLOAT_BYTES * dim for dim in layout.sizes]
        self._sizes = [
            (name, size, messages.PackedFloatList(value=[bytes(size)]).ByteSize())
            for name, size in zip(layout.keys, sizes, strict=True)
        ]

    def __call__(self, data: bytes, invented: bytes = b"") -> VideoRecord:
        """The record in `data`, by the id `invented` where records have none.

        Raises:
            RecordError: anything is wrong with it; without its place.
        """
        try:
            found: FeatureMap = messages.PackedExample.FromString(data).features.feature
        except DecodeError as error:
            raise RecordError("is not a tf.Example, though its checksum is right") from error
        name, labels = _id_and_labels(found, self._layout, invented)
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
            part = np.array(list(needed_values(found, name, "float_list")), dtype=np.float32)
            if len(part) != dim:
                raise RecordError(f"feature '{name}' has {len(part)} values, {dim} expected")
            parts.append(part)
        return np.concatenate(parts)


class FrameParser:
    """Parses and validates records of a frame-level schema; frames after `schema.max_frames` are cut."""

    def __init__(self, layout: Layout) -> None:
        self._layout, self._schema = layout, layout.schema

    def __call__(self, data: bytes, invented: bytes = b"") -> FrameRecord:
        """As `VideoParser.__call__`."""
        try:
            message = messages.SequenceExample.FromString(data)
        except DecodeError as error:
            raise RecordError("is not a tf.SequenceExample, though its checksum is right") from error
        context: FeatureMap = message.context.feature
        name, labels = _id_and_labels(context, self._layout, invented)
        frames = self._frames(message.feature_lists.feature_list)
        if SEGMENT_MARK not in context:
            return FrameRecord(name, labels, frames)
        return with_segments(FrameRecord(name, labels, frames), context, self._schema.num_classes)

    def _frames(self, lists: FeatureMap) -> np.ndarray:
        names, dims = self._layout.keys, self._layout.sizes
        steps = _float_steps if self._schema.float_frames else _steps
        parts = [steps(lists, name, dim) for name, dim in zip(names, dims, strict=True)]
        if len({len(part) for part in parts}) > 1:
            counts = ", ".join(f"{len(part)} of '{name}'" for name, part in zip(names, parts, strict=True))
            raise RecordError(f"frame counts differ: {counts}")
        frames = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        check_frames(frames, self._schema)
        return frames[: self._schema.max_frames]


def _steps(lists: FeatureMap, name: str, dim: int) -> np.ndarray:
    """One feature list as uint8 (T, dim); every frame is one value of `dim` bytes."""
    steps = _list(lists, name)
    found = [step.bytes_list.value for step in steps.feature]
    chunks = [value[0] for value in found if len(value) == 1]
    if len(chunks) == len(found) and set(map(len, chunks)) <= {dim}:
        return np.frombuffer(b"".join(chunks), dtype=np.uint8).reshape(-1, dim)
    for number, step in enumerate(steps.feature):
        _check_step(step, name, dim, number)
    raise RecordError(f"feature list '{name}' cannot be read")


def _float_steps(lists: FeatureMap, name: str, dim: int) -> np.ndarray:
    """One feature list as float32 (T, dim); every frame is `dim` floats."""
    steps = _list(lists, name).feature
    frames = np.empty((len(steps), dim), dtype=np.float32)
    for number, step in enumerate(steps):
        found = step.float_list.value
        if len(found) != dim:
            kind = step.WhichOneof("kind")
            held = f"{len(found)} floats" if kind == "float_list" else KIND_WORDS[kind]
            raise RecordError(f"frame {number} of '{name}' has {held}, {dim} floats expected")
        frames[number] = found
    return frames


def _list(lists: FeatureMap, name: str) -> Any:
    steps = lists.get(name)
    if steps is None:
        present = ", ".join(sorted(lists)) or "none"
        raise RecordError(f"feature list '{name}' is missing (present: {present})")
    return steps


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
