"""A change of a collection: which segments stay, which are written, in one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from compress.artifacts.folder import Change, Content
from compress.artifacts.manifest import Manifest
from compress.codecs import Codec
from compress.collection.columns import parquet_bytes, united
from compress.collection.rows import Rows, merged
from compress.collection.segment import Segment, files_of, gone_file, segment_files
from compress.collection.state import CODEC, NAMES, WEIGHTS, State
from compress.collection.tiers import due
from compress.datasets.vocabulary import Vocabulary, vocabulary_csv

Piece = Segment | Rows


def commit_change(
    change: Change,
    state: State,
    *,
    gone: Mapping[int, np.ndarray],
    new: Rows | None = None,
    codec: Codec | None = None,
    names: Vocabulary | None = None,
    into_one: bool = False,
) -> Manifest:
    """Commit what is left of the segments, and new rows.

    Args:
        change: of the folder, locked; its commit is that of `state`.
        state: what is there.
        gone: rows of segments that are deleted, int64, by the number of the segment.
        new: rows that are added; None for none.
        codec: of the collection, where this is its first addition.
        names: of the classes, where they change.
        into_one: merge all segments, whatever their sizes.

    Raises:
        SchemaError: the new rows have a column of another type.
        StorageError: the disk refused; nothing has changed.
    """
    facts, used = state.facts, codec or state.codec
    pieces: list[Piece] = [
        each.without(gone[number]) if number in gone else each for number, each in enumerate(state.segments)
    ]
    pieces = [piece for piece in [*pieces, *([] if new is None else [new])] if _living(piece)]
    if new is not None and new.table is not None and state.schema is not None:
        united([state.schema, new.table.schema])
    sizes = [(len(piece), _living(piece)) for piece in pieces]
    groups = [list(range(len(pieces)))] if into_one and pieces else due(sizes)
    leader = {group[0]: group for group in groups}
    followers = {place for group in groups for place in group[1:]}

    files: dict[str, Content] = {}
    keep = [name for name in (CODEC, WEIGHTS, NAMES) if name in state.manifest.files]
    segments, number = [], facts.next_segment
    for place, piece in enumerate(pieces):
        if place in followers:
            continue
        if place in leader:
            piece = merged([(pieces[each], _living_rows(pieces[each])) for each in leader[place]])
        if isinstance(piece, Segment):
            segments.append(piece.name)
            standing = list(files_of(state.manifest, piece.name))
            if piece not in state.segments:
                files |= gone_file(piece)
            keep += [each for each in standing if each not in files]
            continue
        assert used is not None
        name, number = f"s{number:06d}", number + 1
        parquet = None if piece.table is None else parquet_bytes(piece.table)
        files |= segment_files(name, piece, used, parquet)
        segments.append(name)
    if codec is not None:
        files[CODEC] = codec.save
    if names is not None:
        files[NAMES] = vocabulary_csv(names)
        keep = [name for name in keep if name != NAMES]
    facts = replace(
        facts,
        generation=facts.generation + 1,
        dim=facts.dim if used is None else used.dim,
        segments=segments,
        next_segment=number,
        vocabulary="grown" if names is not None else facts.vocabulary,
    )
    return change.commit(files, facts.to_json(), keep)


def bytes_of(manifest: Manifest) -> int:
    """Bytes of all files of a commit, without the manifest."""
    return sum(file.bytes for file in manifest.files.values())


def _living(piece: Piece) -> int:
    return piece.living if isinstance(piece, Segment) else len(piece)


def _living_rows(piece: Piece) -> np.ndarray:
    if isinstance(piece, Segment) and piece.alive is not None:
        return np.flatnonzero(piece.alive)
    return np.arange(len(piece))
