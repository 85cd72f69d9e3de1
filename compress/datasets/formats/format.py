"""The interface of an input format; `compress.datasets.formats` lists the formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from compress.datasets.contents import Contents
from compress.datasets.policy import Policy
from compress.datasets.record import Block, Record
from compress.datasets.schema import FeatureSchema, Level
from compress.datasets.vocabulary import Vocabulary
from compress.description import NOTHING_SAID, Description, LabelsOption
from compress.errors import SchemaError, UsageError


class ShardReader(Protocol):
    """Reads the files of a source, all of one schema."""

    schema: FeatureSchema

    @property
    def contents(self) -> Contents:
        """What the files hold, what of it is used, and what is left."""
        ...

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

    @property
    def folder_says(self) -> str:
        """What of the records comes from the names of the folders; it is part of the fingerprint."""
        ...


@dataclass(frozen=True)
class Wanted:
    """The options of `open_source`, as a reader of a format gets them.

    A reader of labels that are texts gives them to `vocabulary.read_class_texts` with this vocabulary, and
    puts the `class_names` that come back into its schema. With `labels_elsewhere` it leaves all labels.
    """

    policy: Policy
    schema: FeatureSchema | None = None
    num_classes: int | None = None
    max_frames: int | None = None
    labels: LabelsOption | None = None
    vocabulary: Vocabulary | None = None
    description: Description = NOTHING_SAID
    run: FeatureSchema | None = None
    labels_elsewhere: bool = False

    @property
    def reads(self) -> FeatureSchema | None:
        """Whose features are needed; None where the file decides."""
        return self.schema or self.run

    def classes(self, found: int | None) -> int | None:
        """C: what was asked for, otherwise what the files say, otherwise that of the run.

        Args:
            found: by the files: of a published release, or the largest label + 1; None for neither.
        """
        if self.schema:
            return self.schema.num_classes
        return self.num_classes or found or (self.run.num_classes if self.run else None)


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


def check_level(wanted: Wanted, found: Level, where: str | Path = "") -> None:
    """SchemaError unless records of the level `found` can be read for a run, or as they are described."""
    needed = wanted.reads.level if wanted.reads else wanted.description.level
    if needed not in (None, found):
        raise SchemaError(
            f"the records are {found}-level, {needed}-level ones are expected",
            where=where,
            hint="give shards of the other level"
            if wanted.run
            else "train and validate need the same features",
        )


def check_cut(schema: FeatureSchema, max_frames: int | None) -> None:
    """UsageError when `max_frames` is given for video-level records."""
    if max_frames is not None and schema.level == "video":
        raise UsageError("max_frames cuts frames, but these records are video level")
