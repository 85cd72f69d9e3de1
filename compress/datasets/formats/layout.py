"""Where in a TFRecord's messages the id, the labels and the features are: seen from the first records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from compress.datasets import features_pb2 as messages
from compress.datasets.contents import Column, Contents, Use, choose_features, choose_name
from compress.datasets.formats.format import Wanted, check_level
from compress.datasets.schema import MAX_CLASSES, RELEASES, FeatureSchema, Level
from compress.description import Description
from compress.errors import RecordError

ID_KEYS = ("id", "video_id", "clip/media_id", "example/id")
LABELS_KEY = "labels"
SYNTHETIC_MARK = "synthetic_frames"
SEGMENT_MARK = "segment_start_times"
KIND_WORDS = {"bytes_list": "bytes", "float_list": "floats", "int64_list": "integers", None: "nothing"}
# What MediaPipe writes has its features in another order than the alphabet's.
_MEDIAPIPE = ("RGB/feature/floats", "AUDIO/feature/floats")
_NOT_FEATURES = ("segment_", "start_time", "end_time")

# protobuf messages carry no static types here; a Mapping[str, Feature or PackedFeature]
FeatureMap = Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """Where in a record the parts of a schema are.

    Args:
        schema: of the records that are read.
        keys: the features in the order in which they are joined.
        sizes: of each of them; their sum is the schema's dim.
        id_key: of the video id.
        labels_key: of the labels.
    """

    schema: FeatureSchema
    keys: tuple[str, ...]
    sizes: tuple[int, ...]
    id_key: str
    labels_key: str = LABELS_KEY

    @classmethod
    def of(cls, schema: FeatureSchema) -> Layout:
        """Records that have the names of the schema, as shards that this project writes."""
        return cls(schema, schema.names, schema.dims, schema.id_key)


@dataclass(frozen=True)
class Seen:
    """What a record holds.

    Args:
        level: "frame" where it has lists of frames.
        sizes: of everything that could be features, by key, in a fixed order.
        context: what else it holds, by key: kind and number of values.
        synthetic: its frames were expanded from video-level features.
    """

    level: Level
    sizes: tuple[tuple[str, int], ...]
    context: tuple[tuple[str, str], ...]
    synthetic: bool


def see(data: bytes, said: Description) -> Seen:
    """What one serialised Example or SequenceExample holds; RecordError when it is neither, or has no id."""
    try:
        message = messages.SequenceExample.FromString(data)
    except DecodeError as error:
        raise RecordError("is neither a tf.Example nor a tf.SequenceExample") from error
    context: FeatureMap = message.context.feature
    if not any(key in context for key in filter(None, (said.id, *ID_KEYS))):
        present = ", ".join(sorted(context)) or "none"
        raise RecordError(f"has neither feature 'id' nor 'video_id' (present: {present})")
    lists = message.feature_lists.feature_list
    sizes = _frame_sizes(lists) if lists else _video_sizes(context)
    if not sizes or not min(sizes.values()):
        raise RecordError("has no features")
    marks = context[SYNTHETIC_MARK].int64_list.value if SYNTHETIC_MARK in context else ()
    others = {key: KIND_WORDS[context[key].WhichOneof("kind")] for key in sorted(context)}
    others.pop(SYNTHETIC_MARK, None)
    for key in () if lists else sizes:
        others.pop(key)
    level: Level = "frame" if lists else "video"
    return Seen(level, tuple(sizes.items()), tuple(others.items()), any(marks))


def merged(kinds: Counter[Seen]) -> Seen:
    """The most common features; and what else any record has that has these."""
    votes: Counter[Seen] = Counter()
    for seen, count in kinds.items():
        votes[replace(seen, context=())] += count
    best = votes.most_common(1)[0][0]
    alike = [seen.context for seen in kinds if replace(seen, context=()) == best]
    known = {key: kind for context in alike for key, kind in context if kind != KIND_WORDS[None]}
    everything = {key: kind for context in alike for key, kind in context} | known
    return replace(best, context=tuple(sorted(everything.items())))


def layout_of(where: Path, seen: Seen, wanted: Wanted) -> tuple[Layout, Contents]:
    """Where the parts are in records like the one that was seen; C is that of a published release, or none.

    Raises:
        RecordError: no id.
        SchemaError: what `choose_features` and `choose_name` refuse.
    """
    check_level(wanted, seen.level, where)
    said, sizes, context = wanted.description, dict(seen.sizes), dict(seen.context)
    texts = [key for key, kind in context.items() if kind == "bytes"]
    usual_id = [key for key in ID_KEYS if key in texts][:1]
    id_key = choose_name(where, texts, said.id, usual_id, "--id") or next(k for k in ID_KEYS if k in context)
    numbers = [key for key, kind in context.items() if kind == "integers"]
    labels_key = choose_name(where, numbers, said.labels, (LABELS_KEY,), "--labels") or LABELS_KEY
    chosen = choose_features(where, sizes, _usual(sizes, seen.level), said, wanted.reads)
    schema = wanted.schema or FeatureSchema(seen.level, chosen.names, chosen.dims, MAX_CLASSES, id_key)
    schema = replace(
        schema, synthetic_frames=seen.synthetic, max_frames=wanted.max_frames or schema.max_frames
    )
    layout = Layout(schema, chosen.keys, chosen.sizes, id_key, labels_key)
    return layout, Contents(_columns(seen, layout), chosen.notes)


def _columns(seen: Seen, layout: Layout) -> tuple[Column, ...]:
    uses: dict[str, Use] = {layout.id_key: "id", layout.labels_key: "labels"}
    uses |= dict.fromkeys(layout.keys, "frames" if seen.level == "frame" else "features")
    unit = "bytes a frame" if seen.level == "frame" else "floats"
    features = tuple(Column(key, f"{size} {unit}", uses.get(key)) for key, size in seen.sizes)
    return tuple(Column(key, kind, uses.get(key)) for key, kind in seen.context) + features


def _frame_sizes(lists: FeatureMap) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for name in sorted(lists):
        steps = lists[name].feature
        if not steps:
            raise RecordError("has no frames")
        kind = steps[0].WhichOneof("kind")
        if kind != "bytes_list" or len(steps[0].bytes_list.value) != 1:
            raise RecordError(f"frame 0 of '{name}' holds {KIND_WORDS[kind]} instead of bytes")
        sizes[name] = len(steps[0].bytes_list.value[0])
    return sizes


def _video_sizes(context: FeatureMap) -> dict[str, int]:
    return {
        name: len(context[name].float_list.value)
        for name in sorted(context)
        if context[name].WhichOneof("kind") == "float_list" and not name.startswith(_NOT_FEATURES)
    }


def _usual(sizes: Mapping[str, int], level: Level) -> tuple[str, ...]:
    """The names to take unasked: those of a published release, or the only one; none where it is unclear."""
    for release in RELEASES:
        names = tuple(name for name in release.names if name in sizes)
        if release.level == level and names:
            whole = names == release.names or len(names) == len(sizes)
            return names if whole else ()
    if set(_MEDIAPIPE) <= set(sizes):
        return _MEDIAPIPE
    return tuple(sizes) if len(sizes) == 1 else ()


def published_classes(layout: Layout) -> int | None:
    """Number of classes of the published release with these feature names and id key; None without one."""
    for release in RELEASES:
        same = (release.level, release.id_key) == (layout.schema.level, layout.id_key)
        if same and set(layout.keys) <= set(release.names):
            return release.num_classes
    return None
