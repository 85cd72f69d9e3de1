"""Single values out of the protobuf messages, with an error that says what was found instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from compress.datasets import features_pb2 as messages
from compress.errors import RecordError

KIND_WORDS = {"bytes_list": "bytes", "float_list": "floats", "int64_list": "integers", None: "nothing"}

# protobuf messages carry no static types here; a Mapping[str, Feature or PackedFeature]
FeatureMap = Mapping[str, Any]


def values(features: FeatureMap, name: str, kind: str) -> Sequence[Any] | None:
    """The values of a feature, None when the record lacks it; RecordError when it is of another kind."""
    feature = features.get(name)
    if feature is None:
        return None
    found = feature.WhichOneof("kind")
    if found is not None and found != kind:
        raise RecordError(f"feature '{name}' holds {KIND_WORDS[found]} where {KIND_WORDS[kind]} belong")
    content: Sequence[Any] = getattr(feature, kind).value
    return content


def needed_values(features: FeatureMap, name: str, kind: str) -> Sequence[Any]:
    """As `values`, but a missing feature is a RecordError that names those present."""
    found = values(features, name, kind)
    if found is None:
        present = ", ".join(sorted(features)) or "none"
        raise RecordError(f"feature '{name}' is missing (present: {present})")
    return found


def video_id(features: FeatureMap, id_key: str) -> bytes:
    """The id of a record; RecordError unless there is exactly one value."""
    found = needed_values(features, id_key, "bytes_list")
    if len(found) != 1:
        raise RecordError(f"feature '{id_key}' has {len(found)} values, one expected")
    return bytes(found[0])


def whole_numbers(features: FeatureMap, name: str) -> np.ndarray:
    """A feature of integers, int64 (n,)."""
    return np.array(list(needed_values(features, name, "int64_list")), dtype=np.int64)


def describe_id(data: bytes) -> str:
    """The id inside a defective record as well as it can be told, for an error message."""
    try:
        context = messages.SequenceExample.FromString(data).context.feature
    except DecodeError:
        return "unknown"
    for key in ("id", "video_id"):
        feature = context.get(key)
        if feature is not None and feature.bytes_list.value:
            return feature.bytes_list.value[0][:64].decode(errors="backslashreplace") or "empty"
    return "unknown"
