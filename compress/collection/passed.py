"""What callers pass: ids, rows, labels, made into what a collection computes with."""

from __future__ import annotations

from typing import Any

import numpy as np

from compress.arrays import as_features, as_frames, as_ids, as_labels, is_frames, plain_array
from compress.collection.state import State
from compress.datasets.vocabulary import Vocabulary
from compress.errors import DataError, SchemaError, UsageError
from compress.labels import Labels


def id_bytes(ids: Any, num_videos: int) -> np.ndarray:
    """Ids as S (n,); raises as `compress.arrays.as_ids`, also where there are none."""
    if ids is None:
        raise UsageError("videos of a collection need ids", where="ids", hint="pass a list of texts")
    try:
        return np.array([name.encode() for name in as_ids(ids, num_videos)], dtype=np.bytes_)
    except UnicodeEncodeError as error:
        raise DataError(f"the id {error.object[:40]!r} is not UTF-8", where="ids") from error


def asked_ids(ids: Any, what: str) -> np.ndarray:
    """Ids that are asked for, S (m,): one text or several; repeats count once."""
    names = [ids] if isinstance(ids, str | bytes) else list(plain_array(ids))
    return np.array(list(dict.fromkeys(_asked(name, what) for name in names)), dtype=np.bytes_)


def _asked(name: Any, what: str) -> bytes:
    text = str(name) if isinstance(name, int) and not isinstance(name, bool) else name
    found = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
    if not isinstance(found, bytes):
        raise UsageError(f"{what}: {name!r:.60} is no text", where=what, hint="pass ids as text")
    return found.replace(b"\0", b"\\0")  # no id has one, and numpy drops those at the end


def as_embeddings(state: State, rows: Any, raw: bool | None, what: str) -> np.ndarray:
    """Embeddings float32 (n, dim): those that were passed, or raw features through the encoder.

    Args:
        state: has the encoder and the embedding size.
        rows: embeddings (n, dim), features (n, D), or frames as the encoder takes them.
        raw: whether they are features; None goes by their width.
        what: how a message calls them.

    Raises:
        UsageError: features without an encoder, or a width that says nothing.
        SchemaError, DataError: not vectors of that size, NaN or infinity.
    """
    about, dim = state.facts.encoder, state.facts.dim
    frames = is_frames(rows)
    given = as_frames(rows, what) if frames else as_features(rows, what)
    if raw and about is None:
        raise UsageError(
            "the collection has no encoder, so it takes embeddings only",
            where="raw",
            hint="encode them first, or make a collection with an encoder",
        )
    if about is not None and raw is None:
        raw = _is_raw(given, about, dim, what)
    if raw:
        assert state.encoder is not None
        return state.encoder.encode(given)
    if frames or (dim is not None and given.shape[1] != dim):  # type: ignore[union-attr]
        shape = "frames" if frames else f"of {given.shape[1]} dimensions"  # type: ignore[union-attr]
        wanted = "embeddings" if dim is None else f"embeddings of {dim}"
        takes = "" if about is None else f" and features of {about['input_dim']}"
        raise SchemaError(f"{what} are {shape}, the collection takes {wanted}{takes}")
    return given  # type: ignore[return-value]


def _is_raw(given: Any, about: dict[str, Any], dim: int | None, what: str) -> bool:
    if isinstance(given, list):
        return True
    width, reads = given.shape[1], about["input_dim"]
    if width == reads == dim and about["level"] == "video":
        raise UsageError(
            f"{what} of {width} numbers may be features or embeddings",
            where="raw",
            hint="pass raw=True for features, raw=False for embeddings",
        )
    return bool(width == reads and about["level"] == "video")


def numbered_labels(state: State, labels: Any, num_videos: int) -> tuple[Labels | None, Vocabulary | None]:
    """Labels with the class numbers of the collection, and its class names where they become more.

    Raises:
        DataError: a name that is not in the vocabulary which the collection was made with.
        SchemaError, DataError: see `compress.arrays.as_labels`.
    """
    if labels is None:
        return None, None
    found = as_labels(labels, num_videos)
    if not found.names:
        return found, None
    known, names = dict(state.names.numbers), dict(state.names.names)
    unknown = [name for name in found.names if name and name not in known]
    if unknown and state.facts.vocabulary == "given":
        raise DataError(
            f"label {unknown[0]!r} is not among the {len(state.names):,} classes of the collection",
            where="labels",
            hint="pass numbers, or names of its vocabulary",
        )
    first = max(state.num_classes, state.names.num_classes)
    for number, name in enumerate(unknown, first):
        known[name] = number
        names[number] = name
    numbers = np.array([known[name] if name else place for place, name in enumerate(found.names)], np.int32)
    rows = [numbers[row] for row in found]
    classes = max([*names, *numbers.tolist()]) + 1
    return Labels.from_lists(rows, classes), Vocabulary(names) if unknown else None
