"""tf.SequenceExample bytes -> FrameRecord or SegmentRecord: YouTube-8M frames and segments, AudioSet."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import DecodeError

from compress.datasets import features_pb2 as messages
from compress.datasets.parse_values import (
    KIND_WORDS,
    FeatureMap,
    needed_values,
    values,
    video_id,
    whole_numbers,
)
from compress.datasets.record import FrameRecord, SegmentRecord
from compress.datasets.schema import FeatureSchema
from compress.datasets.validation import check_frames, check_id, check_segments, pack_labels
from compress.errors import RecordError

SEGMENT_MARK = "segment_start_times"


class FrameParser:
    """Parses and validates records of one schema.

    Args:
        schema: frame level; frames after `schema.max_frames` are cut.
        require_labels: a record without labels is an error.
    """

    def __init__(self, schema: FeatureSchema, require_labels: bool = False) -> None:
        self._schema, self._require_labels = schema, require_labels

    def __call__(self, data: bytes) -> FrameRecord:
        """The record in `data`; RecordError (without place) when anything about it is wrong."""
        try:
            message = messages.SequenceExample.FromString(data)
        except DecodeError as error:
            raise RecordError("is not a tf.SequenceExample, though its checksum is right") from error
        context: FeatureMap = message.context.feature
        name = video_id(context, self._schema.id_key)
        check_id(name)
        classes = values(context, "labels", "int64_list") or ()
        labels = pack_labels(classes, self._schema.num_classes, self._require_labels)
        frames = self._frames(message.feature_lists.feature_list)
        if SEGMENT_MARK not in context:
            return FrameRecord(name, labels, frames)
        return self._with_segments(FrameRecord(name, labels, frames), context)

    def _frames(self, lists: FeatureMap) -> np.ndarray:
        names, dims = self._schema.names, self._schema.dims
        parts = [_steps(lists, name, dim) for name, dim in zip(names, dims, strict=True)]
        if len({len(part) for part in parts}) > 1:
            counts = ", ".join(f"{len(part)} of '{name}'" for name, part in zip(names, parts, strict=True))
            raise RecordError(f"frame counts differ: {counts}")
        frames = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        check_frames(frames, self._schema)
        return frames[: self._schema.max_frames]

    def _with_segments(self, record: FrameRecord, context: FeatureMap) -> SegmentRecord:
        scores = needed_values(context, "segment_scores", "float_list")
        labels = whole_numbers(context, "segment_labels")
        if ((labels < 0) | (labels >= self._schema.num_classes)).any():
            raise RecordError(f"a segment label is outside [0, {self._schema.num_classes})")
        segments = SegmentRecord(
            record.video_id,
            record.labels,
            record.frames,
            whole_numbers(context, SEGMENT_MARK),
            whole_numbers(context, "segment_end_times"),
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
        raise RecordError(f"frame {number} of '{name}' holds {KIND_WORDS[kind]} where bytes belong")
    sizes = [len(value) for value in step.bytes_list.value]
    if sizes != [dim]:
        raise RecordError(f"frame {number} of '{name}' has {sum(sizes)} bytes, {dim} expected")
