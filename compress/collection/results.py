"""What the methods of a collection return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Match:
    """A video that was found.

    Args:
        video_id: its id.
        score: cosine or inner product with the query; higher is more similar.
        labels: class numbers, ascending; () where it has none.
        metadata: its value in every column, None where it has none; {} where the collection has no columns.
    """

    video_id: str
    score: float
    labels: tuple[int, ...]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Added:
    """How many videos came, and how many of them took the place of one of the same id."""

    added: int
    replaced: int


@dataclass(frozen=True)
class Deleted:
    """How many videos went."""

    deleted: int


@dataclass(frozen=True)
class Compacted:
    """What is left: living videos, deleted ones whose bytes went, and bytes of the files before and after."""

    videos: int
    removed: int
    bytes_before: int
    bytes_after: int


@dataclass(frozen=True)
class Stats:
    """What a collection holds.

    Args:
        videos: living ones.
        deleted: those whose bytes are still in the files, until they are compacted.
        segments: of each its name, videos, deleted and bytes.
        dim: embedding size; None before the first addition to a collection without an encoder.
        codec: name of the codec.
        bytes_per_video: of the code; None while `dim` is.
        bytes: of all files.
        metric: "cosine" or "ip".
        columns: SQL type of each column of the metadata, by name.
        num_classes: the largest class number that labels can have, plus 1; 0 without labels.
        generation: commits so far.
        encoder: name of the encoder that raw features go through; None without one.
    """

    videos: int
    deleted: int
    segments: tuple[Mapping[str, Any], ...]
    dim: int | None
    codec: str
    bytes_per_video: int | None
    bytes: int
    metric: str
    columns: Mapping[str, str]
    num_classes: int
    generation: int
    encoder: str | None
