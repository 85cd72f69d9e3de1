"""tf.Example bytes -> VideoRecord, for YouTube-8M video-level shards of either release and relatives."""

from __future__ import annotations

import numpy as np
from google.protobuf.message import DecodeError

from compress.datasets import features_pb2 as messages
from compress.datasets.parse_values import FeatureMap, needed_values, values, video_id
from compress.datasets.record import VideoRecord
from compress.datasets.schema import FeatureSchema
from compress.datasets.validation import check_features, check_id, pack_labels
from compress.errors import RecordError

_FLOAT_BYTES = 4


class VideoParser:
    """Parses and validates records of one schema.

    Args:
        schema: video level.
        require_labels: a record without labels is an error.
    """

    def __init__(self, schema: FeatureSchema, require_labels: bool = False) -> None:
        self._schema, self._require_labels = schema, require_labels
        sizes = [_FLOAT_BYTES * dim for dim in schema.dims]
        self._sizes = [
            (name, size, messages.PackedFloatList(value=[bytes(size)]).ByteSize())
            for name, size in zip(schema.names, sizes, strict=True)
        ]

    def __call__(self, data: bytes) -> VideoRecord:
        """The record in `data`; RecordError (without place) when anything about it is wrong."""
        try:
            found: FeatureMap = messages.PackedExample.FromString(data).features.feature
        except DecodeError as error:
            raise RecordError("is not a tf.Example, though its checksum is right") from error
        name = video_id(found, self._schema.id_key)
        check_id(name)
        classes = values(found, "labels", "int64_list") or ()
        labels = pack_labels(classes, self._schema.num_classes, self._require_labels)
        features = self._packed(found)
        if features is None:
            features = self._unpacked(data)
        check_features(features, self._schema)
        return VideoRecord(name, labels, features)

    def _packed(self, found: FeatureMap) -> np.ndarray | None:
        """The features from their packed bytes, None unless each is one packed piece of the right size."""
        pieces = []
        for name, size, size_on_wire in self._sizes:
            feature = found.get(name)
            if feature is None:
                return None
            floats = feature.float_list
            # The size on the wire counts unknown fields: floats that stand unpacked beside the packed ones.
            if floats.ByteSize() != size_on_wire or [*map(len, floats.value)] != [size]:
                return None
            pieces.append(floats.value[0])
        return np.frombuffer(b"".join(pieces), dtype="<f4")

    def _unpacked(self, data: bytes) -> np.ndarray:
        """The features by the ordinary message: any legal encoding, and exact words about what is wrong."""
        try:
            found: FeatureMap = messages.Example.FromString(data).features.feature
        except DecodeError as error:
            raise RecordError("a feature holds packed floats of a size that no floats have") from error
        parts = []
        for name, dim in zip(self._schema.names, self._schema.dims, strict=True):
            part = np.array(list(needed_values(found, name, "float_list")), dtype=np.float32)
            if len(part) != dim:
                raise RecordError(f"feature '{name}' has {len(part)} values, {dim} expected")
            parts.append(part)
        return np.concatenate(parts)
