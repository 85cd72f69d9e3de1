"""Google's protobuf package (its C implementation, upb) and numpy: the usual way without TensorFlow.

Checksums are not looked at, as is usual.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from compress.datasets import FeatureSchema
from compress.datasets import features_pb2 as messages


def records(shard: Path) -> Iterator[bytes]:
    """The bytes of each record."""
    with shard.open("rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack_from("<Q", header)
            data = file.read(length)
            file.read(4)
            yield data


def read_videos(shard: Path, schema: FeatureSchema) -> Iterator[tuple[bytes, np.ndarray, np.ndarray]]:
    """Each video's id, labels int64 and features float32 (D,)."""
    for data in records(shard):
        found = messages.Example.FromString(data).features.feature
        parts = [np.array(found[name].float_list.value, dtype=np.float32) for name in schema.names]
        labels = np.array(found["labels"].int64_list.value, dtype=np.int64)
        yield found[schema.id_key].bytes_list.value[0], labels, np.concatenate(parts)


def read_frames(shard: Path, schema: FeatureSchema) -> Iterator[tuple[bytes, np.ndarray, np.ndarray]]:
    """Each video's id, labels int64 and frames uint8 (T, D)."""
    for data in records(shard):
        message = messages.SequenceExample.FromString(data)
        context, lists = message.context.feature, message.feature_lists.feature_list
        parts = []
        for name, dim in zip(schema.names, schema.dims, strict=True):
            joined = b"".join(step.bytes_list.value[0] for step in lists[name].feature)
            parts.append(np.frombuffer(joined, dtype=np.uint8).reshape(-1, dim))
        labels = np.array(context["labels"].int64_list.value, dtype=np.int64)
        yield context[schema.id_key].bytes_list.value[0], labels, np.concatenate(parts, axis=1)
