"""`compress init`: looks at the data, and makes a workspace that says where they are."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.atomic import write_bytes
from compress.datasets.catalogue import scan
from compress.datasets.files import absolute, matches
from compress.datasets.part import Part, groups_csv
from compress.datasets.schema import NUM_CLASSES_HINT, RELEASES, FeatureSchema
from compress.datasets.source import open_source
from compress.datasets.table import load_table
from compress.datasets.vocabulary import Vocabulary, load_vocabulary, vocabulary_csv
from compress.description import NOTHING_SAID, Description, labels_option, with_labels_in
from compress.errors import NotFoundError, SchemaError, UsageError
from compress.jobs.sources import open_split
from compress.progress import Note, Reporter, silent
from compress.workspace import FILE_NAME, PATTERNS, Defaults, Workspace, load_workspace

VOCABULARY, GROUPS = "vocabulary.csv", "near-duplicates.csv"
DIM = 320  # of Table 4, for features of more


def create_workspace(
    folder: Path,
    *,
    train: Sequence[str],
    validate: Sequence[str] = (),
    train_frames: Sequence[str] = (),
    validate_frames: Sequence[str] = (),
    validate_fraction: float | None = None,
    group_duplicates: float | None = None,
    vocabulary: Path | None = None,
    num_classes: int | None = None,
    description: Description = NOTHING_SAID,
    report: Reporter = silent,
) -> Workspace:
    """Look at the data, and write `folder`/compress.toml.

    Labels that are names get a vocabulary: vocabulary.csv in `folder`, with the names of all training and
    validation videos.

    Args:
        folder: patterns and paths are relative to it; those without a file there, to the current folder.
        train, validate: patterns of shards, or of arrays.
        train_frames, validate_frames: the same videos as frames; both or neither.
        validate_fraction: instead of `validate`, in (0, 1): this share of the training videos is for
            measuring. A hash of the id says which.
        group_duplicates: with `validate_fraction`: videos whose features have this cosine or more are on one
            side (see `group_near_duplicates`), in (0, 1].
        vocabulary: names of the classes.
        num_classes: C, if the data do not say.
        description: names in the files, where they cannot be seen.
        report: gets progress and notes.

    Raises:
        UsageError: the folder is a workspace already, or options that do not go together.
        NotFoundError: a pattern matches no file, or there is no such vocabulary.
        DataError, SchemaError: the data or the vocabulary cannot be read, or do not fit together.
        StorageError: the disk refused.
    """
    root = folder.resolve()
    path = root / FILE_NAME
    if path.exists():
        raise UsageError("this folder is a workspace already", where=path, hint="edit that file instead")
    _check_splits(validate, train_frames, validate_frames, validate_fraction, group_duplicates)
    given = (train, validate, train_frames, validate_frames)
    option = labels_option(description.labels)
    if option.path is not None:
        placed = Path(_placed(str(option.path), root))
        description = replace(description, labels=str(replace(option, path=placed)))
    patterns = {
        key: [_placed(one, root) for one in several] for key, several in zip(PATTERNS, given, strict=True)
    }
    places: dict[str, Any] = {
        key: tuple(str(absolute(one, root)) for one in several) for key, several in patterns.items()
    }
    workspace = Workspace(
        root,
        **places,
        vocabulary=None if vocabulary is None else absolute(_placed(str(vocabulary), root), root),
        num_classes=num_classes,
        description=with_labels_in(description, root),
        validate_fraction=validate_fraction,
    )
    workspace = _with_classes(workspace, report)
    groups = _groups(workspace, group_duplicates, report) if group_duplicates else {}
    if validate_fraction:
        _tell_parts(workspace, groups, report)
    entries = {
        **patterns,
        "validate_fraction": validate_fraction,
        "near_duplicates": GROUPS if group_duplicates else None,
        "vocabulary": None if workspace.vocabulary is None else _short(workspace.vocabulary, root),
        "num_classes": workspace.num_classes,
        **description.said(),
    }
    if group_duplicates:
        write_bytes(root / GROUPS, groups_csv(groups))
    _write(path, entries)
    return load_workspace(root)


def next_command(workspace: Workspace) -> str | None:
    """The `compress train` that fits the videos of a new workspace; None for frames without labels."""
    labelled = workspace.num_classes is not None
    patterns = workspace.train or workspace.train_frames
    schema = open_source(
        patterns,
        num_classes=workspace.num_classes or 1,
        on_corrupt="skip",
        description=workspace.description,
        vocabulary=None if workspace.vocabulary is None else load_vocabulary(workspace.vocabulary),
    ).schema
    if schema.level == "frame" and not labelled:
        return None  # nothing learns from them alone
    dim = DIM if schema.dim > DIM else 2 ** (max(2, schema.dim).bit_length() - 2)
    encoder = "frame_statistics" if schema.level == "frame" else None if labelled else "pca"
    words = ["compress", "train", *(["--encoder", encoder] if encoder else []), "--dim", str(dim)]
    if workspace.root != Path.cwd():
        words += ["--workspace", os.path.relpath(workspace.root)]
    return shlex.join(words)


def _check_splits(
    validate: Sequence[str],
    train_frames: Sequence[str],
    validate_frames: Sequence[str],
    fraction: float | None,
    cosine: float | None,
) -> None:
    if not validate and fraction is None:
        hint = "give --validate 'PATTERN', or --validate-fraction 0.1 for one training video in ten"
        raise UsageError("nothing says which videos are to measure on", hint=hint)
    if fraction is not None:
        Part("validate", fraction)  # refuses what is no fraction
        if validate or validate_frames:
            raise UsageError(
                "--validate-fraction takes videos from --train, so --validate does not go with it",
                hint="leave one of the two out",
            )
    elif bool(train_frames) != bool(validate_frames):
        raise UsageError("--train-frames and --validate-frames need each other")
    if cosine is not None and fraction is None:
        hint = "give --validate-fraction 0.1 too"
        raise UsageError("--group-duplicates is about the videos that --validate-fraction divides", hint=hint)
    if cosine is not None and not 0 < cosine <= 1:
        raise UsageError(f"is a cosine above 0 and up to 1, not {cosine:g}", where="--group-duplicates")


def _placed(pattern: str, root: Path) -> str:
    """The pattern as compress.toml has it: relative to the workspace, as long as it is not absolute."""
    written = absolute(pattern)
    try:
        matches(pattern, root)
        return str(written)
    except NotFoundError as error:
        if written.is_absolute():
            raise
        try:
            matches(pattern)
        except NotFoundError:
            if root != Path.cwd():
                error.hint = f"there is none in {root}, nor in the current folder; {error.hint}"
            raise error from None
        return os.path.relpath(written.absolute(), root)


def _short(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _with_classes(workspace: Workspace, report: Reporter) -> Workspace:
    """The workspace with its number of classes; of labels that are names a vocabulary is written."""
    given = None if workspace.vocabulary is None else load_vocabulary(workspace.vocabulary)
    schemas = [
        schema
        for key in PATTERNS
        if getattr(workspace, key) and (schema := _schema(getattr(workspace, key), workspace, given))
    ]
    if not schemas:
        report(Note("the videos have no labels; pca and random_projection need none"))
        return workspace
    names = {name for schema in schemas for name in schema.class_names if name}
    made = Vocabulary.of(names) if names and given is None else None
    is_known = workspace.num_classes is not None or any(map(_is_published, schemas))
    count = made.num_classes if made else max(schema.num_classes for schema in schemas)
    if given is not None:
        if is_known and given.num_classes > count:
            raise SchemaError(
                f"names classes up to {given.num_classes - 1:,}, but the data have {count:,}, from 0 on",
                where=workspace.vocabulary or "",
                hint=f"give the vocabulary of these data, or --num-classes {given.num_classes}",
            )
        count = max(count, given.num_classes)
        if missing := [number for number in range(count) if number not in given]:
            some = ", ".join(map(str, missing[:5])) + (", ..." if len(missing) > 5 else "")
            report(Note(f"{len(missing):,} of {count:,} classes have no name, and show their number: {some}"))
    if is_known and workspace.num_classes is None:
        fewer = given.num_classes if given is not None and given.num_classes < count else "N"
        what = f"{count:,} classes, as the published data set whose features have these names and sizes"
        report(Note(f"{what}; for other data write num_classes = {fewer} into {FILE_NAME}"))
    if made is not None:
        written = _write_once(workspace.root, vocabulary_csv(made))
        report(Note(f"the labels are names: {count:,} classes, written to {written.name}"))
        workspace = replace(workspace, vocabulary=written)
    return replace(workspace, num_classes=count)


def _schema(
    patterns: Sequence[str], workspace: Workspace, vocabulary: Vocabulary | None
) -> FeatureSchema | None:
    """What some shards hold; None for videos without labels."""
    try:
        return open_source(
            patterns,
            num_classes=workspace.num_classes,
            on_corrupt="skip",  # `compress train` says what is damaged, and what then
            description=workspace.description,
            vocabulary=vocabulary,
        ).schema
    except SchemaError as error:
        if error.hint == NUM_CLASSES_HINT:
            return None
        raise


def _is_published(schema: FeatureSchema) -> bool:
    """Whether the number of classes is that of a data set that everybody knows."""
    return any(
        set(schema.names) <= set(release.names) and schema.num_classes == release.num_classes
        for release in RELEASES
    )


def _write_once(root: Path, data: bytes) -> Path:
    """The vocabulary, under a name that no other file has."""
    names = (VOCABULARY, *(f"vocabulary-{number}.csv" for number in range(2, 1000)))
    free = (root / name for name in names if not (root / name).exists() or (root / name).read_bytes() == data)
    path = next(free)
    write_bytes(path, data)
    return path


def _groups(workspace: Workspace, cosine: float, report: Reporter) -> Mapping[bytes, bytes]:
    from compress.jobs.near_duplicates import group_near_duplicates  # not before: FAISS

    everything = replace(workspace, validate_fraction=None)
    source = open_split(everything, "train", (), "skip")
    return group_near_duplicates(load_table(source, cache=workspace.cache, report=report), cosine, report)


def _tell_parts(workspace: Workspace, groups: Mapping[bytes, bytes], report: Reporter) -> None:
    """Count both sides; UsageError when one is empty."""
    ids = scan(open_split(replace(workspace, validate_fraction=None), "train", (), "skip"), report).ids
    fraction = workspace.validate_fraction or 0.0
    measured = int(np.count_nonzero(Part("validate", fraction, groups).holds(ids)))
    if not 0 < measured < len(ids):
        raise UsageError(
            f"of {len(ids):,} videos {measured:,} would be to measure on",
            where=f"--validate-fraction {fraction:g}",
            hint="choose another fraction, or give --validate",
        )
    report(Note(f"{len(ids) - measured:,} videos to train on, {measured:,} to measure on"))


def _write(path: Path, entries: Mapping[str, object]) -> None:
    lines = [
        "# A workspace of `compress`; paths are relative to this folder.",
        *(f"{key} = {_toml(value)}" for key, value in entries.items() if value),
        "",
        "# Defaults of options; flags and environment variables (COMPRESS_SEED, ...) override them.",
        "[defaults]",
        *(f"# {item.name} = {_toml(item.default)}" for item in fields(Defaults)),
    ]
    write_bytes(path, ("\n".join(lines) + "\n").encode())


def _toml(value: object) -> str:
    # JSON is TOML for texts, numbers and lists of them, except that TOML wants DEL escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
