"""The interface of an input format; `compress.datasets.formats` lists the formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from compress.datasets.policy import Policy
from compress.datasets.record import Block, Record
from compress.datasets.schema import FeatureSchema
from compress.datasets.vocabulary import Vocabulary
from compress.errors import SchemaError, UsageError


class ShardReader(Protocol):
    """Reads the files of a source, all of one schema."""

    schema: FeatureSchema

    def read(self, shard: Path) -> Iterator[Record]:
        """Every usable record of a file, in order."""
        ...

    def read_blocks(self, shard: Path, videos: int) -> Iterator[Block]:
        """The same records in blocks of `videos`; the last of the file may be smaller."""
        ...

    def place(self, shard: Path, row: int) -> str:
        """Where the row-th usable record of a file is, for an error message."""
        ...

    @property
    def labels_file(self) -> Path | None:
        """The separate file of labels, if any; it is part of the fingerprint."""
        ...


@dataclass(frozen=True)
class Wanted:
    """The options of `open_source`.

    A reader of labels that are texts gives them to `vocabulary.read_class_texts` with this vocabulary, and
    puts the `class_names` that come back into its schema.
    """

    policy: Policy
    schema: FeatureSchema | None = None
    num_classes: int | None = None
    require_labels: bool = False
    max_frames: int | None = None
    labels: Path | None = None
    vocabulary: Vocabulary | None = None


@dataclass(frozen=True)
class Format:
    """An input format.

    Args:
        name: for people.
        kind: "shards" (records with checksums) or "arrays"; the two are not mixed in a source.
        suffixes: of file names, in lower case.
        open: (paths of this format, at least one; options) -> the reader of each path.
        takes_labels_file: labels may be in a separate file.
    """

    name: str
    kind: Literal["shards", "arrays"]
    suffixes: tuple[str, ...]
    open: Callable[[Sequence[Path], Wanted], Mapping[Path, ShardReader]]
    takes_labels_file: bool = False


def check_against(schema: FeatureSchema, found: FeatureSchema, where: str | Path = "") -> None:
    """SchemaError unless records of schema `found` can be read as `schema`, which may use fewer features.

    The number of classes is not compared; `where` is a shard, for the message.
    """
    hint = "shards for training and for evaluation must have the same features"
    if schema.level != found.level:
        what = f"the records are {found.level}-level, {schema.level}-level ones are expected"
        raise SchemaError(what, where=where, hint=hint)
    if schema.id_key != found.id_key:
        what = f"the records have the id key '{found.id_key}', expected is '{schema.id_key}'"
        raise SchemaError(what, where=where, hint=hint)
    sizes = dict(zip(found.names, found.dims, strict=True))
    for name, dim in zip(schema.names, schema.dims, strict=True):
        if sizes.get(name) != dim:
            there = ", ".join(f"{other} ({size})" for other, size in sizes.items())
            what = f"the records have {there}, expected is {name} ({dim})"
            raise SchemaError(what, where=where, hint=hint)


def check_cut(schema: FeatureSchema, max_frames: int | None) -> None:
    """UsageError when `max_frames` is given for video-level records."""
    if max_frames is not None and schema.level == "video":
        raise UsageError("max_frames cuts frames, but these records are video level")
