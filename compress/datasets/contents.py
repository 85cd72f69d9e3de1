"""What a reader found in its files, and which of their features it takes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from compress.datasets.schema import FeatureSchema
from compress.description import Description
from compress.errors import SchemaError

Use = Literal["features", "frames", "id", "labels", "segments"]
_USES = get_args(Use)

UNNAMED = ("features", "frames")
"""Names that say nothing about what was measured: those of arrays without names, in files and in Python."""

_SHOWN = 12


@dataclass(frozen=True)
class Column:
    """One name in a file: a column, a key, a dataset.

    Args:
        name: as the file has it.
        holds: type and size for people, such as "1024 floats" or "list<int64>".
        use: what it is taken as; None: it is left.
    """

    name: str
    holds: str
    use: Use | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.holds})"


@dataclass(frozen=True)
class Contents:
    """What one file holds, as far as names go.

    Args:
        columns: everything that has a name, used or left, in the order of the file.
        notes: whole sentences about what the reader assumed: ids that it made up, features without names.
    """

    columns: tuple[Column, ...] = ()
    notes: tuple[str, ...] = ()

    def taken(self) -> list[str]:
        """What is used: `mean_rgb (1024 floats) as features`."""
        used = sorted((column for column in self.columns if column.use), key=lambda one: _USES.index(one.use))
        return [f"{column} as {column.use}" for column in used]

    def left(self) -> list[str]:
        """What is not used: `std_rgb (1024 floats)`."""
        return [str(column) for column in self.columns if not column.use]

    def told(self) -> list[str]:
        """The sentences that a person should read once: the notes, and what is left."""
        left = self.left()
        if not left:
            return list(self.notes)
        more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        words = (
            f"not used: {', '.join(left[:_SHOWN])}{more}; --features, --id and --labels choose what is used"
        )
        return [*self.notes, words]


NO_CONTENTS = Contents()


@dataclass(frozen=True)
class Chosen:
    """The features that are read from a file.

    Args:
        keys: their names in the file, in the order in which they are joined.
        sizes: of each of them.
        names, dims: of the schema: those of the run that they are read for, otherwise the file's. The sum of
            `dims` is that of `sizes`.
        notes: for `Contents.notes`.
    """

    keys: tuple[str, ...]
    sizes: tuple[int, ...]
    names: tuple[str, ...]
    dims: tuple[int, ...]
    notes: tuple[str, ...] = ()


def choose_features(
    where: str | Path,
    sizes: Mapping[str, int],
    usual: Sequence[str],
    description: Description,
    reads: FeatureSchema | None,
) -> Chosen:
    """Which features of a file to read, in which order.

    Those that `description` names; otherwise those of the run; otherwise the usual ones. A run reads nothing
    but features of its own names and sizes, unless `description` says which ones are meant, or one of the two
    sides is a single array without a name and the size is right. Then a note says so.

    Args:
        where: the file, for errors.
        sizes: of everything in the file that could be features, by name.
        usual: the names to take unasked, in order; none where it cannot be seen which ones are meant.
        description: what a person said.
        reads: what the run (or the training shards) that these videos are for reads; None without one.

    Raises:
        SchemaError: a name that is not there, sizes or names that the run does not read, or names of which
            nobody can see which are meant. The hint has the option to type.
    """
    there = _listed(sizes)
    if description.features is not None:
        for name in description.features:
            if name not in sizes:
                raise SchemaError(f"has no features '{name}' (present: {there})", where=where, hint=_NAMES)
        return _for_run(where, description.features, sizes, reads, asked=True)
    if reads is not None:
        wanted = dict(zip(reads.names, reads.dims, strict=True))
        if all(sizes.get(name) == dim for name, dim in wanted.items()):
            return Chosen(reads.names, reads.dims, reads.names, reads.dims)
        return _for_run(where, tuple(usual), sizes, reads, asked=False)
    if not usual:
        what = f"several things could be the features: {there}" if sizes else "holds no features"
        kept = f"(in compress.toml: features = {json.dumps(list(sizes))})"
        hint = f"say which, in order, such as --features {','.join(sizes)} {kept}" if sizes else ""
        raise SchemaError(what, where=where, hint=hint)
    return _for_run(where, tuple(usual), sizes, None, asked=False)


_NAMES = "--features takes names that the file has, in the order in which they are joined"


def _for_run(
    where: str | Path,
    keys: tuple[str, ...],
    sizes: Mapping[str, int],
    reads: FeatureSchema | None,
    asked: bool,
) -> Chosen:
    dims = tuple(sizes[key] for key in keys)
    if reads is None:
        return Chosen(keys, dims, keys, dims)
    theirs = _listed(dict(zip(reads.names, reads.dims, strict=True)))
    if asked and dims == reads.dims:
        note = f"{', '.join(keys)} is read as {', '.join(reads.names)}, as --features says"
        notes = () if keys == reads.names else (note,)
        return Chosen(keys, dims, reads.names, reads.dims, notes)
    one_array = len(keys) == 1 and keys[0] in UNNAMED
    nameless_run = len(reads.names) == 1 and reads.names[0] in UNNAMED
    if keys and sum(dims) == reads.dim and (one_array or (nameless_run and (asked or len(keys) == 1))):
        note = f"there are no names to compare: {', '.join(keys)} ({sum(dims)}) is read as {theirs}"
        return Chosen(keys, dims, reads.names, reads.dims, () if keys == reads.names else (note,))
    found = {key: sizes[key] for key in keys or sizes}
    joined = nameless_run and sum(found.values()) == reads.dim
    raise SchemaError(
        f"holds {_listed(found)}, expected are {theirs}",
        where=where,
        hint=_order(tuple(found)) if joined else _mapping(sizes, reads),
    )


def _order(keys: Sequence[str]) -> str:
    """The hint for a run on one array: nobody can see in which order features were joined in it."""
    return f"the run was trained on one array; say what it joined, in order: --features {','.join(keys)}"


def _mapping(sizes: Mapping[str, int], reads: FeatureSchema) -> str:
    """The hint that maps the features of a file to those of a run, as far as sizes tell."""
    fitting = [[name for name, size in sizes.items() if size == dim] for dim in reads.dims]
    names = list(dict.fromkeys(found[0] for found in fitting if len(found) == 1))
    if len(names) == len(reads.dims):
        return f"if they are the same under other names, say so in this order: --features {','.join(names)}"
    same = "the same features are needed as in training"
    return f"{same}; under other names, --features takes these in the same order" if all(fitting) else same


def choose_name(
    where: str | Path, present: Sequence[str], given: str | None, usual: Sequence[str], option: str
) -> str | None:
    """The one name that is meant: the given one, otherwise the only usual one that is present.

    Args:
        where: the file, for errors.
        present: the names that could be meant.
        given: what a person said, or None.
        usual: names that are taken unasked.
        option: that gives the name, such as "--id", for errors.

    Returns:
        None where nothing is given and no usual name is present.

    Raises:
        SchemaError: the given name is not there, or several usual ones are.
    """
    if given is not None:
        if given not in present:
            found = ", ".join(present) or "none"
            raise SchemaError(f"has no '{given}', which {option} names (present: {found})", where=where)
        return given
    found_names = [name for name in usual if name in present]
    if len(found_names) > 1:
        what = f"{' and '.join(found_names)} could both be meant"
        raise SchemaError(what, where=where, hint=f"say which: {option} {found_names[0]}")
    return found_names[0] if found_names else None


def _listed(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({size})" for name, size in sizes.items()) or "none"
