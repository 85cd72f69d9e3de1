"""Shards -> trained encoder -> store: streamed, resumable, and with the same bytes after any kill."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from compress.artifacts.manifest import Manifest
from compress.artifacts.one_state import file_state
from compress.codecs import Codec, sample_rows
from compress.datasets.catalogue import Catalogue, scan
from compress.datasets.shard_sizes import shard_sizes
from compress.datasets.source import Source
from compress.encoding.appending import add_new
from compress.encoding.embedder import Embedder, stored_dim
from compress.encoding.existing import (
    check_nothing_is_lost,
    check_unchanged,
    is_current,
    standing_store,
    why_not_appended,
)
from compress.encoding.filling import fill
from compress.encoding.splits import joined_ids, joined_labels, ranges, sample, windows, without_copies
from compress.errors import CorruptArtifactError, NotFoundError, UsageError
from compress.progress import Note, Reporter, silent
from compress.run_config import changed_since, read_run_config
from compress.store.journal import remove_leftovers
from compress.store.writer import open_writer
from compress.training.precision import Wanted, choose_precision, precision_note
from compress.training.run import WEIGHTS, check_fits, open_model
from encoders import keep_freed_memory


@dataclass(frozen=True)
class EncodeResult:
    """A finished store; `resumed_rows` of its videos were embedded before by a stopped call.

    `added` is how many videos were added to a store that was there; None where none should be.
    """

    path: Path
    videos: int
    seconds: float
    resumed_rows: int
    bytes_per_video: int
    added: int | None = None


def encode(
    run: str | Path,
    splits: Mapping[str, Source],
    store: str | Path,
    *,
    dim: int | None = None,
    any_dim: bool = False,
    codec: str = "float32",
    batch_size: int | None = None,
    precision: Wanted = "auto",
    device: str = "cpu",
    workers: int | None = None,
    append: bool = False,
    replace: bool = False,
    report: Reporter = silent,
) -> EncodeResult:
    """Embed every video of some shards, once.

    Args:
        run: folder of a finished training.
        splits: source of each split by name, in the order in which their rows are stored.
        store: the file to write. An unfinished one with the same arguments is continued, a finished one kept.
            One that differs is written again if nothing in it is lost: it is of the same run, size and codec,
            and all its videos are in `splits`.
        dim: embedding size to store: the first dimensions, renormalised; None for all.
        any_dim: allow a `dim` that the run was not trained for.
        codec: how embeddings are stored; fitted, if it needs that, on videos of the first split.
        batch_size: videos at once per worker; memory grows with it and with ids and labels only. None for
            `BATCH_SIZE`, or that of a finished store.
        precision: "fp32", "bf16", or "auto": as it was trained, but fp32 if the device has no bf16
            arithmetic. A finished store of another precision is written again.
        device: "cpu" or "cuda".
        workers: threads that embed a batch each; 0 for the caller's thread only, None for as many as torch
            has; the store does not depend on it.
        append: add the videos whose ids are not in the store yet; those that are stay as they are.
        replace: write the store also where another one is lost by that.
        report: gets estimate and progress.

    Raises:
        NotFoundError: no finished training in `run`.
        UsageError: it was not trained for embedding size `dim`; an option out of range; videos of the store
            that is there would be lost (and no `replace`), or cannot be added to.
        SchemaError: encoder and shards do not fit.
        RecordError, CorruptShardError: unusable records; an id in two splits.
        StorageError: the disk refused, or has no room for the whole store.
        Interrupted: on request, after all finished windows were stored.
    """
    run, store = Path(run), Path(store)
    if append and replace:
        raise UsageError("--append keeps the store and --replace does not", hint="leave one of the two out")
    if precision not in get_args(Wanted):
        raise UsageError(f"precision must be one of {', '.join(get_args(Wanted))}, not {precision!r}")
    keep_freed_memory()
    started = time.monotonic()
    model, manifest = open_model(run)
    facts = manifest.metadata
    for source in splits.values():
        check_fits(facts, source.schema, run)
    dim = stored_dim(model, dim, run, any_dim=any_dim)
    trained = facts["train_config"]["precision"]
    used = choose_precision(precision, trained, device)
    embedder = Embedder(model, used, device, dim, batch_size=batch_size, workers=workers)

    catalogues = {name: scan(source, report) for name, source in splits.items()}
    _tell_changed(run, splits, catalogues, report)
    ids, labels = joined_ids(catalogues), joined_labels(catalogues)
    # From here on ids and labels are in memory once only.
    catalogues = without_copies(catalogues, ids, labels)
    metadata = _metadata(run, manifest, splits, embedder)

    seen, present = file_state(store), standing_store(store, append, report)
    if present is not None and append:
        reason = why_not_appended(present, dim, codec, metadata)
        if reason is not None:
            raise UsageError(reason, where=store, hint="choose another --output")
        added, resumed = add_new(present, seen, splits, catalogues, embedder, metadata, report)
        took = time.monotonic() - started
        return EncodeResult(store, len(present) + added, took, resumed, present.bytes_per_video, added)
    if present is not None and is_current(present, ids, dim, codec, metadata, batch_size):
        # A kill after the last rename may have left the journal of a finished store.
        remove_leftovers(store)
        report(Note(f"{store} is up to date"))
        return EncodeResult(store, len(ids), time.monotonic() - started, len(ids), present.bytes_per_video)
    if present is not None and not replace:
        check_nothing_is_lost(present, ids, dim, codec, metadata, report)
    wanted = sample_rows(codec)
    like = sample(wanted, splits, catalogues, embedder) if wanted else np.empty((0, dim), np.float32)
    chosen = Codec.fit(codec, like)
    size = _megabytes(len(ids) * chosen.bytes_per_video)
    report(Note(f"{len(ids):,} videos, {size} in {store.name}", passing=True))
    if note := precision_note(precision, trained, used):
        report(Note(note, once=True))
    with open_writer(
        store, ids=ids, labels=labels, codec=chosen, splits=ranges(catalogues), metadata=metadata
    ) as writer:
        resumed = writer.rows_done
        if resumed:
            report(Note(f"continuing after {resumed:,} of {len(ids):,} videos"))
        check_unchanged(store, seen)
        rest = windows(splits, catalogues, resumed, embedder.window_size)
        fill(writer, rest, embedder, len(ids), report)
        writer.finish()
    return EncodeResult(store, len(ids), time.monotonic() - started, resumed, chosen.bytes_per_video)


def _metadata(
    run: Path, manifest: Manifest, splits: Mapping[str, Source], embedder: Embedder
) -> dict[str, Any]:
    facts = manifest.metadata
    return {
        "run": run.name,
        "model_sha256": manifest.files[WEIGHTS].sha256,
        "encoder": facts["train_config"]["encoder"],
        "encoder_options": facts["model_config"]["encoder_options"],
        "precision": embedder.precision,
        "parameters": facts["parameters"],
        "batch_size": embedder.batch_size,
        "window": embedder.window_size,
        "sources": {name: source.fingerprint() for name, source in splits.items()},
        "synthetic_frames": any(source.schema.synthetic_frames for source in splits.values()),
        "level": next(iter(splits.values())).schema.level,
        **({"prefix_of": embedder.model.dim} if embedder.dim < embedder.model.dim else {}),
        **({"shrunk": facts["shrunk"]} if "shrunk" in facts else {}),
        **({"class_names": names} if (names := facts["schema"].get("class_names")) else {}),
    }


def _tell_changed(
    run: Path, splits: Mapping[str, Source], catalogues: Mapping[str, Catalogue], report: Reporter
) -> None:
    """Note which shards have changed since the run was trained; the model itself does not depend on them."""
    try:
        noted = read_run_config(run)
    except NotFoundError:
        return
    except CorruptArtifactError as error:
        report(Note(f"whether the shards have changed since the training is not known ({error})"))
        return
    now = [size for name, source in splits.items() for size in shard_sizes(source, catalogues[name])]
    if changed := changed_since(noted, now):
        report(Note(f"shards have changed since {run.name} was trained: {'; '.join(changed)}"))


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
