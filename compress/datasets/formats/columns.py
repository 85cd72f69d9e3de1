"""Which columns of a file are features, ids and labels, and which are left.

A column is anything with a name and a value for each video: a dataset of HDF5, an array of .npz, a column of
Parquet.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np

from compress.datasets.contents import UNNAMED, Chosen, Column, Contents, Use, choose_features, choose_name
from compress.datasets.formats.label_csv import ID_COLUMNS, LABEL_COLUMNS
from compress.datasets.schema import RELEASES, FeatureSchema
from compress.description import Description
from compress.errors import SchemaError

Kind = Literal["float", "byte", "integer", "boolean", "text", "other"]

# Names that say nothing about what was measured, in lower case: public data sets and libraries use these.
USUAL_FEATURES = frozenset(
    {
        "features",
        "feature",
        "feats",
        "feat",
        "embeddings",
        "embedding",
        "emb",
        "vectors",
        "vector",
        "frames",
        "x",
    }
)
USUAL_IDS = frozenset(
    {*ID_COLUMNS, "ids", "video_ids", "video_id_list", "vids", "audio_name", "video_name", "names"}
)
USUAL_LABELS = frozenset({*LABEL_COLUMNS})
PANDAS_INDEX = "__index_level_0__"
_NUMBERED = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True)
class TypedColumn:
    """A column and its type.

    Args:
        name: in the file; of columns that are one dimension each, the first and the last: `f0..f15`.
        kind: of its values; "byte" is uint8, "integer" are other whole numbers.
        shape: of the value of one video: () one number or text, (D,), frames (T, D); None where it differs
            between videos or is not known.
        holds: the type in the words of the file, for messages.
        parts: the columns that it is made of, in their order, if it is several.
        class_names: names of class numbers, where the file has them.
    """

    name: str
    kind: Kind
    shape: tuple[int | None, ...]
    holds: str
    parts: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name} ({self.holds})"

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns to read for it."""
        return self.parts or (self.name,)

    @property
    def can_be_features(self) -> bool:
        """Whether it holds floats (D,) or (T, D), or 8-bit codes of frames (T, D)."""
        if not self.shape or self.shape[-1] in (0, None):
            return False
        return len(self.shape) in {"float": (1, 2), "byte": (2,)}.get(self.kind, ())

    @property
    def can_be_ids(self) -> bool:
        """Whether it holds a text or a whole number."""
        return self.kind in ("text", "integer", "byte") and not self.shape

    @property
    def can_be_labels(self) -> bool:
        """Whether it holds classes: numbers, names, a list of them, or 0 or 1 for each class."""
        return self.kind != "other" and len(self.shape) < 2


@dataclass(frozen=True)
class Roles:
    """What the columns of a file are taken as.

    Args:
        features: in the order in which they are joined.
        chosen: what the schema calls them.
        id: None: the rows have no ids.
        labels: None: the rows have no labels.
        contents: everything that the file holds, with its use.
    """

    features: tuple[TypedColumn, ...]
    chosen: Chosen
    id: TypedColumn | None
    labels: TypedColumn | None
    contents: Contents

    @property
    def sources(self) -> list[str]:
        """All columns to read."""
        taken = [*self.features, *filter(None, (self.id, self.labels))]
        return [name for column in taken for name in column.sources]

    @property
    def is_frames(self) -> bool:
        """Whether a video is a sequence of frames."""
        return len(self.features[0].shape) == 2


def kind_of(dtype: np.dtype) -> Kind:
    """The kind of numbers or texts of a numpy type."""
    if dtype == np.uint8:
        return "byte"
    kinds: Mapping[str, Kind] = {
        "f": "float",
        "i": "integer",
        "u": "integer",
        "b": "boolean",
        "S": "text",
        "U": "text",
    }
    return "other" if dtype.kind == "f" and dtype.itemsize > 8 else kinds.get(dtype.kind, "other")


def find_roles(
    columns: Sequence[TypedColumn],
    description: Description,
    reads: FeatureSchema | None,
    where: Path,
    notes: Iterable[str] = (),
) -> Roles:
    """Say which columns are features, ids and labels: those that were named, else those of the usual names.

    Args:
        columns: of the file.
        description: what a person said.
        reads: what the videos are read for; see `choose_features`.
        where: the file, for errors.
        notes: sentences about the file, for `Contents`.

    Raises:
        SchemaError: a column that was named is missing or of another type; there are no features; or several
            columns can be meant and none was named.
    """
    joined = join_numbered(columns)
    features, chosen = _features(joined, description, reads, where)
    others = [column for column in joined if column not in features]
    video_id = _one(others, "id", description.id, where)
    labels = _one(
        [column for column in others if column is not video_id], "labels", description.labels, where
    )
    if len({len(column.shape) for column in features}) > 1:
        what = f"{listed(features)}: some are one vector for each video, others are frames"
        raise SchemaError(what, where=where, hint="--features takes features of one kind")
    uses: dict[str, Use] = {
        column.name: "frames" if len(column.shape) == 2 else "features" for column in features
    }
    uses |= {video_id.name: "id"} if video_id else {}
    uses |= {labels.name: "labels"} if labels else {}
    found = tuple(Column(column.name, column.holds, uses.get(column.name)) for column in joined)
    return Roles(features, chosen, video_id, labels, Contents(found, (*notes, *chosen.notes)))


def join_numbered(columns: Sequence[TypedColumn]) -> list[TypedColumn]:
    """The columns, where single floats f0, f1, ... are one column of vectors, in the place of the first.

    The numbers begin at 0 or 1 and leave none out; their order in the file does not matter.
    """
    scalars = {column.name: column for column in columns if column.kind == "float" and not column.shape}
    numbered = [(match[1], int(match[2]), name) for name in scalars if (match := _NUMBERED.fullmatch(name))]
    found: dict[str, TypedColumn] = {}
    for _, group in groupby(sorted(numbered), key=lambda each: each[0]):
        numbers, names = zip(*((number, name) for _, number, name in group), strict=True)
        if (
            len(names) > 1
            and numbers[0] in (0, 1)
            and numbers == tuple(range(numbers[0], numbers[0] + len(names)))
        ):
            holds = f"{len(names)} columns of {scalars[names[0]].holds}"
            found[names[0]] = TypedColumn(f"{names[0]}..{names[-1]}", "float", (len(names),), holds, names)
    gone = {part for column in found.values() for part in column.parts} - set(found)
    return [found.get(column.name, column) for column in columns if column.name not in gone]


def listed(columns: Collection[object], shown: int = 8) -> str:
    """The first few of many, for a message."""
    more = f" and {len(columns) - shown} more" if len(columns) > shown else ""
    return ", ".join(str(column) for column in [*columns][:shown]) + more or "nothing"


def last_part(name: str) -> str:
    """A name without the groups around it, in lower case."""
    return name.lower().rpartition("/")[2]


def _features(
    columns: Sequence[TypedColumn], description: Description, reads: FeatureSchema | None, where: Path
) -> tuple[tuple[TypedColumn, ...], Chosen]:
    """The columns, and what the schema calls them."""
    usable = {column.name: column for column in columns if column.can_be_features}
    by_prefix = {_NUMBERED.fullmatch(c.parts[0])[1]: c.name for c in usable.values() if c.parts}  # type: ignore[index]
    asked = description.features
    if asked is not None:
        description = Description(features=tuple(by_prefix.get(name, name) for name in asked))
        present = {column.name: column for column in columns}
        for name in description.features or ():
            if name in present and name not in usable:
                raise _no_features(present[name], where)
    if not usable:
        named = next((column for column in columns if last_part(column.name) in USUAL_FEATURES), None)
        if named:
            raise _no_features(named, where)
        what = f"has no features: floats, several for each video (present: {listed(columns)})"
        raise SchemaError(what, where=where)
    usual = _usual(list(usable.values()))
    if len(usual) == 1 and asked is None and not (reads and usual[0] in reads.names):
        column = usable[usual[0]]
        if last_part(column.name) in USUAL_FEATURES or column.parts:
            # Any of the usual names is that of an array without a name.
            nameless = UNNAMED[len(column.shape) - 1]
            usable = {nameless if name == column.name else name: found for name, found in usable.items()}
            usual = [nameless]
    sizes = {name: int(column.shape[-1] or 0) for name, column in usable.items()}
    chosen = choose_features(where, sizes, usual, description, reads)
    return tuple(usable[key] for key in chosen.keys), chosen


def _usual(usable: Sequence[TypedColumn]) -> list[str]:
    """The names to take unasked; none where it cannot be seen which ones are meant."""
    found = [column.name for column in usable if last_part(column.name) in USUAL_FEATURES]
    if found:
        return found if len(found) == 1 else []
    names = {column.name for column in usable}
    for release in RELEASES:
        if names.intersection(release.names) in ({*release.names}, names):
            return [name for name in release.names if name in names]
    found = [column.name for column in usable if last_part(column.name) not in USUAL_LABELS]
    return found if len(found) == 1 else []


def _no_features(column: TypedColumn, where: Path) -> SchemaError:
    whole = column.kind in ("integer", "byte")
    hint = "convert them to float32; stored codes need decoding first" if whole else ""
    what = (
        f"'{column.name}' holds {column.holds}; float16, float32 or float64 expected, several for each video"
    )
    return SchemaError(what, where=where, hint=hint)


def _one(
    columns: Sequence[TypedColumn], role: Literal["id", "labels"], given: str | None, where: Path
) -> TypedColumn | None:
    """The column of ids or labels."""
    by_name = {column.name: column for column in columns}
    names = USUAL_IDS if role == "id" else USUAL_LABELS
    usual = [name for name in by_name if last_part(name) in names]
    if role == "id" and not usual:
        usual = [name for name in by_name if name == PANDAS_INDEX and by_name[name].kind == "text"]
    fitting = [name for name in usual if _fits(by_name[name], role)] or usual
    name = choose_name(where, tuple(by_name), given, fitting, f"--{role}")
    if name is None:
        return None
    if not _fits(by_name[name], role):
        wanted = (
            "a text or a whole number"
            if role == "id"
            else "classes: numbers, names, lists of them, or 0 and 1"
        )
        what = f"'{name}' holds {by_name[name].holds}; {wanted} expected for each video"
        raise SchemaError(what, where=where, hint=f"name another with --{role} NAME")
    return by_name[name]


def _fits(column: TypedColumn, role: str) -> bool:
    return column.can_be_ids if role == "id" else column.can_be_labels
