"""Files on their way into a collection: shards, arrays and stores as blocks; metadata joined by id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from compress.collection.incoming import Block
from compress.collection.metadata_file import MetadataFile
from compress.collection.passed import as_embeddings, numbered_labels
from compress.collection.state import State
from compress.datasets.policy import OnCorrupt
from compress.datasets.record import VIDEOS_PER_BLOCK
from compress.datasets.record import Block as Records
from compress.datasets.schema import NUM_CLASSES_HINT, FeatureSchema
from compress.datasets.source import Source
from compress.datasets.vocabulary import Vocabulary
from compress.errors import SchemaError
from compress.inspection import is_store
from compress.jobs.sources import open_split, tell_skipped
from compress.labels import Labels
from compress.progress import Note, Reporter
from compress.store.reader import Store, open_store
from compress.workspace import Workspace

_ROWS, _FRAMES = 8192, 256  # videos that are encoded together

Blocks = Iterator[tuple[Block, Vocabulary | None]]


def blocks_of(
    workspace: Workspace,
    state: State,
    inputs: Sequence[str],
    metadata: MetadataFile | None,
    on_corrupt: OnCorrupt,
    report: Reporter,
) -> Blocks:
    """The videos of some files as blocks of a collection; arguments and errors as those of `add_videos`."""
    if len(inputs) == 1 and Path(inputs[0]).is_file() and is_store(Path(inputs[0])):
        found = _of_store(open_store(inputs[0]), state)
    else:
        found = _of_source(workspace, state, inputs, on_corrupt, report)
    done = 0
    for block, names in found:
        done += len(block.ids)
        yield (block if metadata is None else replace(block, table=metadata.rows_of(block.ids))), names
        if done > _ROWS:
            report(Note(f"{done:,} videos", passing=True))


def _of_store(store: Store, state: State) -> Blocks:
    facts = state.facts
    if facts.dim not in (None, store.dim):
        raise SchemaError(
            f"holds embeddings of {store.dim} dimensions, the collection has {facts.dim}", where=store.path
        )
    theirs, ours = store.metadata.get("model_sha256"), (facts.encoder or {}).get("model_sha256")
    if theirs and ours and theirs != ours:
        raise SchemaError(
            f"was encoded by another model ({store.metadata.get('run')}) than that of the collection",
            where=store.path,
            hint="add the shards themselves, which the collection encodes",
        )
    class_names = tuple(store.metadata.get("class_names") or ())
    for start in range(0, len(store), _ROWS):
        stop = min(start + _ROWS, len(store))
        labels = None if store.labels is None else store.labels.between(start, stop)
        if labels is not None and class_names:
            labels = replace(labels, names=class_names)
        numbered, names = numbered_labels(state, labels, stop - start)
        ids = np.array(store.id_bytes[start:stop].tolist(), dtype=np.bytes_)
        yield Block(ids, None, numbered, None, np.asarray(store.codes[start:stop]), store.codec), names


def _of_source(
    workspace: Workspace, state: State, inputs: Sequence[str], on_corrupt: OnCorrupt, report: Reporter
) -> Blocks:
    source, raw = _opened(workspace, state, inputs, on_corrupt)
    source.tell_contents(report)
    size = _ROWS if source.schema.level == "video" else _FRAMES
    for shard in source.shards:
        some: list[Records] = []
        for records in source.read_blocks(shard, VIDEOS_PER_BLOCK[source.schema.level]):
            some.append(_kept(records))
            if sum(map(len, some)) >= size:
                yield _block(some, source.schema, state, raw)
                some = []
        if some:
            yield _block(some, source.schema, state, raw)
    tell_skipped([source], report)


def _opened(
    workspace: Workspace, state: State, inputs: Sequence[str], on_corrupt: OnCorrupt
) -> tuple[Source, bool]:
    """The files, and whether they hold raw features."""
    about = state.facts.encoder
    if about is None:
        return _embeddings(workspace, state, inputs, on_corrupt), False
    reads = FeatureSchema.from_json(about["facts"]["schema"])
    try:
        return open_split(workspace, "input", inputs, on_corrupt, run=reads), True
    except SchemaError as refused:
        try:  # embeddings that were made elsewhere
            source = _embeddings(workspace, state, inputs, on_corrupt)
        except SchemaError:
            raise refused from None
        if source.schema.level != "video" or source.schema.dim != state.facts.dim:
            raise
        return source, False


def _embeddings(workspace: Workspace, state: State, inputs: Sequence[str], on_corrupt: OnCorrupt) -> Source:
    """Files of vectors, with labels or without."""
    try:
        return open_split(workspace, "input", inputs, on_corrupt)
    except SchemaError as error:
        if error.hint != NUM_CLASSES_HINT or workspace.num_classes is not None:
            raise
    # Nothing says how many classes there are where no video has a label.
    unlabelled = replace(workspace, num_classes=max(1, state.num_classes))
    return open_split(unlabelled, "input", inputs, on_corrupt)


def _kept(records: Records) -> Records:
    """A copy: the next block may overwrite the arrays."""
    return Records(
        records.ids.copy(),
        records.num_labels.copy(),
        records.classes.copy(),
        records.rows.copy(),
        None if records.num_frames is None else records.num_frames.copy(),
    )


def _block(
    some: Sequence[Records], schema: FeatureSchema, state: State, raw: bool
) -> tuple[Block, Vocabulary | None]:
    ids = np.concatenate([records.ids for records in some])
    indptr = np.concatenate([[0], np.cumsum(np.concatenate([each.num_labels for each in some]))])
    classes = np.concatenate([records.classes for records in some]).astype(np.int32)
    labels = Labels(indptr.astype(np.int64), classes, schema.num_classes, schema.class_names)
    numbered, names = numbered_labels(state, labels if len(classes) else None, len(ids))
    videos: Any = np.concatenate([records.rows for records in some])
    if schema.level == "frame":
        ends = np.cumsum(np.concatenate([each.num_frames for each in some if each.num_frames is not None]))
        videos = np.split(videos, ends[:-1])
    return Block(ids, as_embeddings(state, videos, raw, "features"), numbered), names
