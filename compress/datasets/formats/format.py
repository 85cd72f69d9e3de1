"""What an input format has to offer; `compress.datasets.formats` lists those there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from compress.datasets.policy import Policy
from compress.datasets.record import Block, Record
from compress.datasets.schema import FeatureSchema
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
        """The file beside that holds the labels, if any; it counts in the fingerprint."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What is asked of a source; see `open_source`."""

    policy: Policy
    schema: FeatureSchema | None = None
    num_classes: int | None = None
    require_labels: bool = False
    max_frames: int | None = None
    labels: Path | None = None


@dataclass(frozen=True)
class Format:
    """An input format.

    Args:
        name: what people call it.
        kind: "shards" (records with checksums) or "arrays"; the two are not mixed in a source.
        suffixes: ends of file names, in lower case.
        open: gives the reader of each path, of the files of this format (at least one).
        takes_labels_file: labels may be in a file beside.
    """

    name: str
    kind: Literal["shards", "arrays"]
    suffixes: tuple[str, ...]
    open: Callable[[Sequence[Path], Wanted], Mapping[Path, ShardReader]]
    takes_labels_file: bool = False


def check_against(schema: FeatureSchema, found: FeatureSchema, where: str | Path = "") -> None:
    """SchemaError unless records found can be read by the schema, which may use fewer features.

    Args:
        schema: what is wanted: given, or that of the shards that were opened first.
        found: what the records are; its number of classes does not count.
        where: a shard, for the message.
    """
    hint = "the shards of a training, with labels or without, and those to measure on must be alike"
    if schema.level != found.level:
        what = f"the records are {found.level}-level, {schema.level}-level ones are wanted"
        raise SchemaError(what, where=where, hint=hint)
    if schema.id_key != found.id_key:
        what = f"the records have the id key '{found.id_key}', wanted is '{schema.id_key}'"
        raise SchemaError(what, where=where, hint=hint)
    sizes = dict(zip(found.names, found.dims, strict=True))
    for name, dim in zip(schema.names, schema.dims, strict=True):
        if sizes.get(name) != dim:
            there = ", ".join(f"{other} ({size})" for other, size in sizes.items())
            what = f"the records have {there}, wanted is {name} ({dim})"
            raise SchemaError(what, where=where, hint=hint)


def check_cut(schema: FeatureSchema, max_frames: int | None) -> None:
    """UsageError when frames are to be cut where there are none."""
    if max_frames is not None and schema.level == "video":
        raise UsageError("max_frames cuts frames, but these records are video level")
