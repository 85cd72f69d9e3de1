"""Videos added to a finished store: a file of the old rows and the new ones takes its place in one step."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from compress.artifacts.one_state import FileState
from compress.datasets.catalogue import Catalogue
from compress.datasets.source import Source
from compress.encoding.embedder import Embedder
from compress.encoding.existing import check_unchanged
from compress.encoding.filling import BLOCK_ROWS, fill
from compress.encoding.splits import only_new, windows
from compress.errors import SchemaError
from compress.labels import Labels
from compress.progress import Note, Progress, Reporter, check_interrupt
from compress.store.journal import remove_leftovers
from compress.store.reader import Store
from compress.store.writer import StoreWriter, open_writer


def add_new(
    store: Store,
    seen: FileState,
    splits: Mapping[str, Source],
    catalogues: Mapping[str, Catalogue],
    embedder: Embedder,
    metadata: Mapping[str, Any],
    report: Reporter,
) -> tuple[int, int]:
    """Add the videos whose ids `store` lacks, each at the end of the split of its name.

    Old rows are copied byte for byte, and new ones are encoded by the codec as it was calibrated. The old
    store stays until all is written; what was stopped is continued by the same call.

    Args:
        store: of the same model, size and codec (see `why_not_appended`).
        seen: its state when it was opened.
        splits, catalogues: of all videos that were given; those that the store has are left out.
        embedder: of the store's model.
        metadata: of a new store of these videos.

    Returns:
        How many videos were added, and how many rows an earlier call had written.

    Raises:
        SchemaError: labels of another number of classes.
        LockedError: another process writes the store.
        RecordError: an embedding that the codec cannot hold.
    """
    known = np.sort(store.id_bytes)
    new = {name: only_new(catalogue, known) for name, catalogue in catalogues.items()}
    added, given = sum(map(len, new.values())), sum(map(len, catalogues.values()))
    if added < given:
        report(
            Note(f"{given - added:,} of {given:,} videos are in {store.path} already and stay as they are")
        )
    if not added:
        remove_leftovers(store.path)
        return 0, 0
    report(Note(f"adding {added:,} videos to the {len(store):,} of {store.path.name}"))
    # In the order of the rows; an empty range for a split that is new.
    old = dict(sorted(store.splits.items(), key=lambda item: item[1].start))
    old |= {name: range(0) for name in new if name not in old}
    ends = np.cumsum([0, *(len(rows) + len(new.get(name, ())) for name, rows in old.items())]).tolist()
    with open_writer(
        store.path,
        ids=np.concatenate([part for name in old for part in _ids(store, old[name], new.get(name))]),
        labels=_labels(store, old, new),
        codec=store.codec,
        splits={name: (ends[at], ends[at + 1]) for at, name in enumerate(old)},
        metadata=_metadata(store, new, metadata),
    ) as writer:
        check_unchanged(store.path, seen)
        resumed, total = writer.rows_done, len(store) + added
        for start, (name, rows) in zip(ends, old.items(), strict=False):
            _copy(writer, store, rows, start, total, report)
            if name in new:
                done = max(0, writer.rows_done - start - len(rows))
                rest = windows({name: splits[name]}, {name: new[name]}, done, embedder.window_size, known)
                fill(writer, rest, embedder, total, report)
        writer.finish()
    return added, resumed


def _copy(writer: StoreWriter, store: Store, rows: range, start: int, total: int, report: Reporter) -> None:
    """Copy what is not yet written of some rows, the first of which becomes row `start`."""
    while (done := writer.rows_done - start) < len(rows):
        block = rows[done : done + BLOCK_ROWS]
        writer.copy(np.asarray(store.codes[block.start : block.stop]))
        report(Progress("copy", writer.rows_done, total))
        check_interrupt()


def _ids(store: Store, rows: range, new: Catalogue | None) -> list[np.ndarray]:
    old = store.id_bytes[rows.start : rows.stop]
    return [old.astype(f"S{old.dtype.itemsize}")] + ([] if new is None else [new.ids])


def _labels(store: Store, old: Mapping[str, range], new: Mapping[str, Catalogue]) -> Labels | None:
    """Labels in the order of the new rows, empty where there are none; None if no video has any."""
    present = [
        labels for labels in (store.labels, *(one.labels for one in new.values())) if labels is not None
    ]
    if not present:
        return None
    classes = {labels.num_classes for labels in present}
    if len(classes) > 1:
        raise SchemaError(
            f"the store and the new videos have different numbers of classes: {sorted(classes)}",
            where=store.path,
            hint="write num_classes = N of the store into compress.toml",
        )
    empty = Labels.empty(len(store), classes.pop())
    parts: list[Labels] = []
    for name, rows in old.items():
        parts.append((store.labels or empty).between(rows.start, rows.stop))
        if name in new:
            parts.append(new[name].labels or Labels.empty(len(new[name]), empty.num_classes))
    return Labels.concatenate(parts)


def _metadata(store: Store, new: Mapping[str, Catalogue], fresh: Mapping[str, Any]) -> dict[str, Any]:
    """The store's own, with the sources of the new videos; no shards alone give such a split again."""
    sources = dict(store.metadata.get("sources", {}))
    for name, catalogue in new.items():
        if len(catalogue):
            both = f"{sources.get(name, '')}+{fresh['sources'][name]}"
            sources[name] = hashlib.sha256(both.encode()).hexdigest()
    synthetic = bool(store.metadata.get("synthetic_frames")) or fresh["synthetic_frames"]
    return {**store.metadata, "sources": sources, "synthetic_frames": synthetic}
