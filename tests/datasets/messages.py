"""Messages as other people's programs write them (any keys, any kinds of values), and how they are opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from compress.datasets import features_pb2 as messages
from compress.datasets.formats.framing import frame
from compress.datasets.record import Record
from compress.datasets.source import Source, open_source
from compress.progress import Event, Note

Values = Sequence[Any]


def example(**features: Values) -> bytes:
    """A tf.Example; keys with a slash are given as `**{"a/b": ...}`."""
    message = messages.Example()
    for key, values in features.items():
        _fill(message.features.feature[key], values)
    return message.SerializeToString(deterministic=True)


def sequence(context: Mapping[str, Values], lists: Mapping[str, Sequence[Values]]) -> bytes:
    """A tf.SequenceExample."""
    message = messages.SequenceExample()
    for key, values in context.items():
        _fill(message.context.feature[key], values)
    for key, steps in lists.items():
        for step in steps:
            _fill(message.feature_lists.feature_list[key].feature.add(), step)
    return message.SerializeToString(deterministic=True)


def write(path: Path, records: Sequence[bytes]) -> Path:
    """A shard."""
    path.write_bytes(b"".join(map(frame, records)))
    return path


def _fill(feature: messages.Feature, values: Values) -> None:
    if isinstance(values[0], bytes):
        feature.bytes_list.value.extend(values)
    elif isinstance(values[0], float):
        feature.float_list.value.extend(values)
    else:
        feature.int64_list.value.extend(values)


def opened(path: Path, **options: Any) -> Source:
    """The source of one file, of 10 classes unless the options say otherwise."""
    return open_source([str(path)], **{"num_classes": 10, **options})


def told(source: Source) -> list[str]:
    """What a person reads about its contents."""
    notes: list[Event] = []
    source.tell_contents(notes.append)
    assert all(isinstance(note, Note) and note.once for note in notes)
    return [note.text for note in notes if isinstance(note, Note)]


def records(source: Source) -> list[Record]:
    """Every record of a source, in order."""
    return [record for shard in source.shards for record in source.read(shard)]
