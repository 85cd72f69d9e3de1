"""Tells from a record, without a schema, what a source holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from compress.datasets import features_pb2 as messages
from compress.datasets.parse_values import KIND_WORDS, FeatureMap
from compress.datasets.schema import (
    AUDIOSET,
    YT8M_2017_FRAME,
    YT8M_2017_VIDEO,
    YT8M_2018_FRAME,
    YT8M_2018_VIDEO,
    FeatureSchema,
    Level,
)
from compress.errors import RecordError, SchemaError

SYNTHETIC_MARK = "synthetic_frames"
RELEASES = (YT8M_2018_VIDEO, YT8M_2018_FRAME, YT8M_2017_VIDEO, YT8M_2017_FRAME, AUDIOSET)
_ID_KEYS = ("id", "video_id")
_NOT_FEATURES = ("segment_", "start_time", "end_time")


@dataclass(frozen=True)
class Layout:
    """What one record shows of its schema; everything but the number of classes."""

    level: Level
    names: tuple[str, ...]
    dims: tuple[int, ...]
    id_key: str
    synthetic_frames: bool

    @classmethod
    def of(cls, schema: FeatureSchema) -> Layout:
        """The layout of records that a schema describes."""
        return cls(schema.level, schema.names, schema.dims, schema.id_key, schema.synthetic_frames)

    def schema(self, num_classes: int) -> FeatureSchema:
        """The schema with C given."""
        return FeatureSchema(
            self.level, self.names, self.dims, num_classes, self.id_key, self.synthetic_frames
        )


def detect_layout(data: bytes) -> Layout:
    """The layout of one serialised Example or SequenceExample; RecordError when it has none."""
    try:
        message = messages.SequenceExample.FromString(data)
    except DecodeError as error:
        raise RecordError("is neither a tf.Example nor a tf.SequenceExample") from error
    context: FeatureMap = message.context.feature
    id_key = next((key for key in _ID_KEYS if key in context), None)
    if id_key is None:
        present = ", ".join(sorted(context)) or "none"
        raise RecordError(f"neither feature 'id' nor 'video_id' is there (present: {present})")
    lists = message.feature_lists.feature_list
    sizes = _frame_sizes(lists) if lists else _video_sizes(context)
    marks = context[SYNTHETIC_MARK].int64_list.value if SYNTHETIC_MARK in context else ()
    level: Level = "frame" if lists else "video"
    return Layout(level, tuple(sizes), tuple(sizes.values()), id_key, any(marks))


def known_num_classes(layout: Layout) -> int | None:
    """C of the published release with these feature names and this id key, None when there is none."""
    for release in RELEASES:
        same = (release.level, release.id_key) == (layout.level, layout.id_key)
        if same and set(layout.names) <= set(release.names):
            return release.num_classes
    return None


def check_against(schema: FeatureSchema, layout: Layout, where: str | Path = "") -> None:
    """SchemaError unless records of this layout can be read by the schema (which may use fewer features).

    Args:
        schema: what is wanted: given, or that of the shards that were opened first.
        layout: what was found.
        where: a shard, for the message.
    """
    hint = "the shards of a training, with labels or without, and those to measure on must be alike"
    if schema.level != layout.level:
        what = f"the records are {layout.level}-level, {schema.level}-level ones are wanted"
        raise SchemaError(what, where=where, hint=hint)
    if schema.id_key != layout.id_key:
        what = f"the records have the id key '{layout.id_key}', wanted is '{schema.id_key}'"
        raise SchemaError(what, where=where, hint=hint)
    found = dict(zip(layout.names, layout.dims, strict=True))
    for name, dim in zip(schema.names, schema.dims, strict=True):
        if found.get(name) != dim:
            there = ", ".join(f"{other} ({size})" for other, size in found.items())
            what = f"the records have {there}, wanted is {name} ({dim})"
            raise SchemaError(what, where=where, hint=hint)


def _frame_sizes(lists: FeatureMap) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name in _known_first(lists, "frame"):
        steps = lists[name].feature
        if not steps:
            raise RecordError("has no frames")
        kind = steps[0].WhichOneof("kind")
        if kind != "bytes_list" or len(steps[0].bytes_list.value) != 1:
            raise RecordError(f"frame 0 of '{name}' holds {KIND_WORDS[kind]} where bytes belong")
        sizes[name] = len(steps[0].bytes_list.value[0])
    return _usable(sizes)


def _video_sizes(context: FeatureMap) -> dict[str, int]:
    floats = {
        name: feature
        for name, feature in context.items()
        if feature.WhichOneof("kind") == "float_list" and not name.startswith(_NOT_FEATURES)
    }
    return _usable({name: len(floats[name].float_list.value) for name in _known_first(floats, "video")})


def _usable(sizes: dict[str, int]) -> dict[str, int]:
    if not sizes or not min(sizes.values()):
        raise RecordError("has no features")
    return sizes


def _known_first(present: Mapping[str, object], level: Level) -> list[str]:
    """The names of a published release, in its order, when some are present; else all, by name."""
    for release in RELEASES:
        names = [name for name in release.names if name in present]
        if release.level == level and names:
            return names
    return sorted(present)
