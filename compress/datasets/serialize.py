"""Records -> the bytes of tf.Example and tf.SequenceExample, as YouTube-8M stores them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from compress.datasets import features_pb2 as messages
from compress.datasets.detect import SYNTHETIC_MARK
from compress.datasets.record import FrameRecord, VideoRecord
from compress.datasets.schema import FeatureSchema


def serialize_video(record: VideoRecord, schema: FeatureSchema) -> bytes:
    """A tf.Example; `labels` is absent when there are none, as in the official test shards."""
    message = messages.PackedExample()
    features = message.features.feature
    features[schema.id_key].bytes_list.value.append(record.video_id)
    if len(record.labels):
        features["labels"].int64_list.value.extend(record.labels.tolist())
    for name, part in _parts(record.features, schema):
        features[name].float_list.value.append(part.astype("<f4", copy=False).tobytes())
    # Without `deterministic` the order of the features changes from one process to the next.
    return message.SerializeToString(deterministic=True)


def serialize_frames(record: FrameRecord, schema: FeatureSchema) -> bytes:
    """A tf.SequenceExample, one bytes value a frame; marked when the frames of the schema are synthetic."""
    message = messages.SequenceExample()
    context = message.context.feature
    context[schema.id_key].bytes_list.value.append(record.video_id)
    if len(record.labels):
        context["labels"].int64_list.value.extend(record.labels.tolist())
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
