"""Where in a TFRecord's messages the id, the labels and the features are: seen from the first records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from compress.datasets import features_pb2 as messages
from compress.datasets.contents import Column, Contents, Use, choose_features, choose_name
from compress.datasets.formats.format import Wanted, check_level
from compress.datasets.schema import MAX_CLASSES, RELEASES, FeatureSchema, Level
from compress.description import Description
from compress.errors import RecordError, SchemaError

ID_KEYS = ("id", "video_id", "clip/media_id", "example/id")
LABELS_KEY = "labels"
LABEL_KEYS = (LABELS_KEY, "clip/label/index")
SYNTHETIC_MARK = "synthetic_frames"
SEGMENT_MARK = "segment_start_times"
SEGMENT_KEYS = (SEGMENT_MARK, "segment_end_times", "segment_labels", "segment_scores")
KIND_WORDS = {"bytes_list": "bytes", "float_list": "floats", "int64_list": "integers", None: "nothing"}
# What MediaPipe writes has its features in another order than the alphabet's, and the path of the video.
_MEDIAPIPE = ("RGB/feature/floats", "AUDIO/feature/floats")
_NO_IDS = ("clip/data_path",)
_NOT_FEATURES = ("segment_", "start_time", "end_time")
_SEGMENTS_NOTE = "segments with labels of their own are there: --segments makes them rows, named ID:START"
_UNCONFIRMED = "segments without a confirmed label are unlabelled, and left out where labels are needed"
_INVENTED = "records have no id: folder, file name and number are taken, the name alone for a bare record"

# protobuf messages carry no static types here; a Mapping[str, Feature or PackedFeature]
FeatureMap = Mapping[str, Any]


@dataclass(frozen=True)
class Layout:
    """Where in a record the parts of a schema are.

    Args:
        schema: of the records that are read.
        keys: the features in the order in which they are joined.
        sizes: of each of them; their sum is the schema's dim.
        id_key: of the video id; "" where records have none, and the file's name stands for it.
        labels_key: of the labels.
        segments: labelled segments are read, each as a record.
        alike: several files have the same name, so that it alone tells no video.
    """

    schema: FeatureSchema
    keys: tuple[str, ...]
    sizes: tuple[int, ...]
    id_key: str
    labels_key: str = LABELS_KEY
    segments: bool = False
    alike: bool = False

    @classmethod
    def of(cls, schema: FeatureSchema) -> Layout:
        """Records that have the names of the schema, as shards that this project writes."""
        return cls(schema, schema.names, schema.dims, schema.id_key)

    @property
    def is_plain(self) -> bool:
        """Whether C reads such records."""
        usual = self.labels_key == LABELS_KEY and self.id_key and not self.segments
        return bool(usual and not self.schema.float_frames)


@dataclass(frozen=True)
class Seen:
    """What a record holds.

    Args:
        level: "frame" where lists of frames are its features.
        features: (key, size, kind of values) of everything that could be features, in a fixed order.
        others: (key, kind of values) of everything else.
        synthetic: its frames were expanded from video-level features.
    """

    level: Level
    features: tuple[tuple[str, int, str], ...]
    others: tuple[tuple[str, str], ...]
    synthetic: bool


def see(data: bytes, said: Description) -> Seen:
    """What one serialised Example or SequenceExample holds.

    Raises:
        RecordError: it is neither, has no features, or names itself under a key that nobody knows.
    """
    try:
        message = messages.SequenceExample.FromString(data)
    except DecodeError as error:
        raise RecordError("is neither a tf.Example nor a tf.SequenceExample") from error
    context: FeatureMap = message.context.feature
    _check_id(context, said)
    lists = message.feature_lists.feature_list
    frames, vectors = _frames(lists), _vectors(context)
    level: Level = said.level or ("frame" if frames or (lists and not vectors) else "video")
    found = frames if level == "frame" else vectors
    if not found or not min(size for size, _ in found.values()):
        if level == "frame" and any(not lists[key].feature for key in lists):
            raise RecordError("has no frames")
        asked = f" of a {level}, which --level {level} asks for" if said.level else ""
        raise RecordError(f"has no features{asked}")
    others = {key: KIND_WORDS[context[key].WhichOneof("kind")] for key in sorted(context)}
    others |= {key: f"{_kind(lists[key])} a frame" for key in sorted(lists)}
    for key in (SYNTHETIC_MARK, *found):
        others.pop(key, None)
    marks = context[SYNTHETIC_MARK].int64_list.value if SYNTHETIC_MARK in context else ()
    features = tuple((key, size, kind) for key, (size, kind) in found.items())
    return Seen(level, features, tuple(others.items()), any(marks))


def merged(kinds: Counter[Seen]) -> Seen:
    """The most common features; and what else any record has that has these."""
    votes: Counter[Seen] = Counter()
    for seen, count in kinds.items():
        votes[replace(seen, others=())] += count
    best = votes.most_common(1)[0][0]
    alike = [seen.others for seen in kinds if replace(seen, others=()) == best]
    known = {key: kind for others in alike for key, kind in others if kind != KIND_WORDS[None]}
    everything = {key: kind for others in alike for key, kind in others} | known
    return replace(best, others=tuple(sorted(everything.items())))


def with_more(seen: Seen, more: Iterable[Seen]) -> Seen:
    """What was seen, and under `others` what records of other shards hold besides."""
    features, others = {key for key, _, _ in seen.features}, dict(seen.others)
    for one in more:
        found = {key: _sized(size, kind) for key, size, kind in one.features if key not in features}
        others = found | dict(one.others) | others
    return replace(seen, others=tuple(sorted(others.items())))


def layout_of(where: Path, seen: Seen, wanted: Wanted) -> tuple[Layout, Contents]:
    """Where the parts are in records like the one that was seen; C is that of the schema that is wanted.

    Raises:
        SchemaError: what `choose_features` and `choose_name` refuse, frames of two kinds, or no segments.
    """
    check_level(wanted, seen.level, where)
    said, others = wanted.description, dict(seen.others)
    texts = [key for key, kind in others.items() if kind in ("bytes", "nothing")]
    id_key = choose_name(where, texts, said.id, [key for key in ID_KEYS if key in texts][:1], "--id") or ""
    numbers = [key for key, kind in others.items() if kind in ("integers", "nothing")]
    if said.labels in others and said.labels not in numbers:
        what = f"'{said.labels}' holds {others[said.labels]}; labels are class numbers here"
        raise SchemaError(
            what, where=f"{where}: --labels", hint="texts can be labels in CSV or Parquet files"
        )
    usual_labels = [key for key in LABEL_KEYS if key in numbers][:1]
    labels_key = choose_name(where, numbers, said.labels, usual_labels, "--labels") or LABELS_KEY
    sizes = {key: size for key, size, _ in seen.features}
    chosen = choose_features(where, sizes, _usual(sizes, seen.level), said, wanted.reads)
    kinds = {kind for key, _, kind in seen.features if key in chosen.keys}
    if len(kinds) > 1:
        what = f"{', '.join(chosen.keys)} hold {' and '.join(sorted(kinds))}, which cannot be joined"
        raise SchemaError(what, where=where, hint="name features of one kind with --features")
    if said.segments and SEGMENT_MARK not in others:
        raise SchemaError(f"has no segments (no '{SEGMENT_MARK}')", where=f"{where}: --segments")
    schema = wanted.schema or FeatureSchema(
        seen.level, chosen.names, chosen.dims, MAX_CLASSES, id_key or ID_KEYS[0]
    )
    schema = replace(
        schema,
        synthetic_frames=seen.synthetic,
        max_frames=wanted.max_frames or schema.max_frames,
        float_frames=seen.level == "frame" and kinds == {"floats"},
    )
    layout = Layout(schema, chosen.keys, chosen.sizes, id_key, labels_key, said.segments)
    return layout, _contents(seen, layout, chosen.notes)


def published_classes(layout: Layout, contents: Contents) -> int | None:
    """Number of classes of the published release that the records are of; None where they are of none.

    Level, id key and names of the features are those of the release. Records that lack some of its features,
    as those of `compress extract` lack audio, are others, and may have any classes.
    """
    there = {column.name for column in contents.columns}
    for release in RELEASES:
        same = (release.level, release.id_key) == (layout.schema.level, layout.id_key)
        if same and set(layout.keys) <= set(release.names) <= there:
            return release.num_classes
    return None


def _contents(seen: Seen, layout: Layout, notes: tuple[str, ...]) -> Contents:
    uses: dict[str, Use] = {layout.id_key: "id", layout.labels_key: "labels"}
    uses |= dict.fromkeys(layout.keys, "frames" if seen.level == "frame" else "features")
    there = dict(seen.others)
    if layout.segments:
        uses |= dict.fromkeys(SEGMENT_KEYS, "segments")
        notes += (_UNCONFIRMED,)
    elif SEGMENT_MARK in there:
        there = {key: kind for key, kind in there.items() if key not in SEGMENT_KEYS}
        notes += (_SEGMENTS_NOTE,)
    if not layout.id_key:
        notes += (_INVENTED,)
    unit = " a frame" if seen.level == "frame" else ""
    columns = [Column(key, kind, uses.get(key)) for key, kind in there.items()]
    order = {key: place for place, key in enumerate(layout.keys)}
    for key, size, kind in sorted(seen.features, key=lambda one: order.get(one[0], len(order))):
        columns.append(Column(key, _sized(size, kind) + unit, uses.get(key)))
    return Contents(tuple(columns), notes)


def _sized(size: int, kind: str) -> str:
    return f"{size:,} {kind if size != 1 else kind[:-1]}"


def _check_id(context: FeatureMap, said: Description) -> None:
    if any(key in context for key in filter(None, (said.id, *ID_KEYS))):
        return
    texts = [key for key in sorted(context) if _is_text(context[key]) and key not in _NO_IDS]
    if texts:
        present = ", ".join(sorted(context))
        what = f"has neither feature 'id' nor 'video_id' (present: {present})"
        raise RecordError(what, hint=f"name the one that is the id, such as --id {texts[0]}")


def _is_text(feature: Any) -> bool:
    return feature.WhichOneof("kind") == "bytes_list" and len(feature.bytes_list.value) == 1


def _kind(steps: Any) -> str:
    return KIND_WORDS[steps.feature[0].WhichOneof("kind")] if steps.feature else KIND_WORDS[None]


def _frames(lists: FeatureMap) -> dict[str, tuple[int, str]]:
    """Size and kind of the lists that could be frames: of one value of bytes, or of floats, in each step."""
    found = {}
    for name in sorted(lists):
        steps = lists[name].feature
        if steps and _is_text(steps[0]):
            found[name] = len(steps[0].bytes_list.value[0]), "bytes"
        elif steps and steps[0].WhichOneof("kind") == "float_list":
            found[name] = len(steps[0].float_list.value), "floats"
    return found


def _vectors(context: FeatureMap) -> dict[str, tuple[int, str]]:
    return {
        name: (len(context[name].float_list.value), "floats")
        for name in sorted(context)
        if context[name].WhichOneof("kind") == "float_list" and not name.startswith(_NOT_FEATURES)
    }


def _usual(sizes: Mapping[str, int], level: Level) -> tuple[str, ...]:
    """The names to take unasked: those of a published release, or the only one; none where it is unclear."""
    for release in RELEASES:
        names = tuple(name for name in release.names if name in sizes)
        if release.level == level and names:
            return names if names == release.names or len(names) == len(sizes) else ()
    if set(_MEDIAPIPE) <= set(sizes):
        return _MEDIAPIPE
    return tuple(sizes) if len(sizes) == 1 else ()
