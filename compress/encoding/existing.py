"""The store that stands where a new one is to go: keep it, write it again, or refuse to lose its videos."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compress.artifacts.one_state import FileState, file_state
from compress.errors import CorruptArtifactError, LockedError, MarkedStoreError, NotFoundError, UsageError
from compress.progress import Note, Reporter
from compress.store.reader import Store, open_store

_SAME_MODEL = ("run", "model_sha256", "precision", "level", "prefix_of")
_OTHER = "choose another --output"


def standing_store(path: Path, append: bool, report: Reporter) -> Store | None:
    """The finished store at `path`; None where there is none, or a damaged one, which is told.

    Raises:
        CorruptArtifactError: it is damaged, and nothing can be added to it (`append`).
        MarkedStoreError: it is whole, but another program has changed its flags.
        DataError: a file that is no store of ours.
    """
    try:
        return open_store(path)
    except NotFoundError:
        return None
    except MarkedStoreError:
        raise
    except CorruptArtifactError as error:
        if append:
            raise
        report(Note(f"{error}; encoding it again"))
        return None


def is_current(
    store: Store,
    ids: np.ndarray,
    dim: int,
    codec: str,
    metadata: Mapping[str, Any],
    batch_size: int | None,
) -> bool:
    """Whether `store` is what would be written: these videos in this order, of this model and these shards.

    The batch size changes rounding only: if none was asked for, any finished store will do.
    """
    ignored = {"window"} if batch_size else {"window", "batch_size"}
    stored, wanted = ({k: v for k, v in m.items() if k not in ignored} for m in (store.metadata, metadata))
    return (
        (store.dim, store.codec.name) == (dim, codec)
        and stored == wanted
        and np.array_equal(store.id_bytes, ids)
    )


def check_nothing_is_lost(
    store: Store, ids: np.ndarray, dim: int, codec: str, metadata: Mapping[str, Any], report: Reporter
) -> None:
    """Refuse to replace `store` by another kind of store, or by one that lacks some of its videos.

    A store of the same run, size and codec may be written again when all its videos are in the new one: after
    shards were added, after the run was trained again, or in another precision. The reason is told.

    Raises:
        UsageError: says what would be lost, and offers --append, where it works, and --replace.
    """
    path, replacing = store.path, f"replace it with --replace, or {_OTHER}"
    if store.metadata.get("run") != metadata["run"]:
        raise UsageError(
            f"holds the embeddings of run {store.metadata.get('run')!r}, not of {metadata['run']!r}",
            where=path,
            hint=replacing,
        )
    if (store.dim, store.codec.name) != (dim, codec):
        raise UsageError(
            f"holds {store.codec.name} of {store.dim} dimensions, not {codec} of {dim}",
            where=path,
            hint=replacing,
        )
    shared = np.count_nonzero(np.isin(store.id_bytes, ids))
    if lost := len(store) - shared:
        some_are_new = shared < len(ids) and why_not_appended(store, dim, codec, metadata) is None
        raise UsageError(
            f"holds {len(store):,} videos, {lost:,} of them not among the {len(ids):,} to encode",
            where=path,
            hint=(f"add the new ones with --append, {replacing}" if some_are_new else replacing),
        )
    was, now = store.metadata.get("precision"), metadata["precision"]
    if was != now:
        report(Note(f"{path} was computed in {was}; encoding it again in {now}"))
    elif store.metadata.get("model_sha256") != metadata["model_sha256"]:
        report(Note(f"{path} is of an earlier training of this run; encoding it again"))
    else:
        report(
            Note(f"{path} holds {len(store):,} of {len(ids):,} videos; encoding it again from these shards")
        )


def why_not_appended(store: Store, dim: int, codec: str, metadata: Mapping[str, Any]) -> str | None:
    """Why embeddings of another model, size or codec cannot be added to `store`; None where they can."""
    if (store.dim, store.codec.name) != (dim, codec):
        return f"holds {store.codec.name} of {store.dim} dimensions, not {codec} of {dim}"
    for key in _SAME_MODEL:
        was, now = store.metadata.get(key), metadata.get(key)
        if was != now:
            return {
                "run": f"holds the embeddings of run {was!r}, not of {now!r}",
                "model_sha256": "holds the embeddings of an earlier training of this run",
                "precision": f"was computed in {was}, not in {now}",
                "level": f"was encoded from {was}-level shards, not from {now}-level ones",
            }.get(key, f"holds the first {store.dim} of other dimensions")
    if sum(map(len, store.splits.values())) != len(store):
        return "has rows outside of its splits"
    return None


def check_unchanged(path: Path, seen: FileState) -> None:
    """Refuse to go on when another process wrote `path` since it was `seen`; its lock is held now.

    Raises:
        LockedError: run the command again.
    """
    if file_state(path) != seen:
        raise LockedError(
            "was written by another process meanwhile", where=path, hint="run the command again"
        )
