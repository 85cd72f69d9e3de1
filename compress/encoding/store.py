"""Shards -> trained encoder -> store: streamed, resumable, and with the same bytes after any kill."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from compress.codecs import Codec, sample_rows
from compress.datasets.catalogue import scan
from compress.datasets.source import Source
from compress.encoding.embedder import Embedder, Window, stored_dim
from compress.encoding.splits import joined_ids, joined_labels, ranges, sample, windows, without_copies
from compress.errors import CorruptArtifactError, NotFoundError, UsageError
from compress.progress import Note, Progress, Reporter, check_interrupt, interrupt_requested, silent
from compress.store.journal import remove_leftovers
from compress.store.reader import Store, open_store
from compress.store.writer import StoreWriter, open_writer
from compress.training.cost import Stopwatch
from compress.training.precision import Wanted, choose_precision, precision_note
from compress.training.run import check_fits, load_model, model_sha256
from encoders import keep_freed_memory

BLOCK_ROWS = 8192  # embeddings in memory at most
_BLOCK_SECONDS = 2.0  # the work that a kill loses at most, or one window


@dataclass(frozen=True)
class EncodeResult:
    """A finished store; `resumed_rows` of its videos were embedded before by a stopped call."""

    path: Path
    videos: int
    seconds: float
    resumed_rows: int
    bytes_per_video: int


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
    report: Reporter = silent,
) -> EncodeResult:
    """Embed every video of some shards, once.

    Args:
        run: folder of a finished training.
        splits: source of each split by name, in the order in which their rows are stored.
        store: the file to write. An unfinished one with the same arguments is continued, a finished one kept.
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
        report: gets estimate and progress.

    Raises:
        NotFoundError: no finished training in `run`.
        UsageError: it was not trained for embedding size `dim`; or an option out of range.
        SchemaError: encoder and shards do not fit.
        RecordError, CorruptShardError: unusable records; an id in two splits.
        StorageError: the disk refused, or has no room for the whole store.
        Interrupted: on request, after all finished windows were stored.
    """
    run, store = Path(run), Path(store)
    if precision not in get_args(Wanted):
        raise UsageError(f"precision must be one of {', '.join(get_args(Wanted))}, not {precision!r}")
    keep_freed_memory()
    started = time.monotonic()
    model, facts = load_model(run)
    for source in splits.values():
        check_fits(facts, source.schema, run)
    dim = stored_dim(model, dim, run, any_dim=any_dim)
    trained = facts["train_config"]["precision"]
    used = choose_precision(precision, trained, device)
    embedder = Embedder(model, used, device, dim, batch_size=batch_size, workers=workers)

    catalogues = {name: scan(source, report) for name, source in splits.items()}
    ids, labels = joined_ids(catalogues), joined_labels(catalogues)
    # From here on ids and labels are in memory once only.
    catalogues = without_copies(catalogues, ids)
    metadata = _metadata(run, facts, splits, embedder)

    done = _finished(store, ids, dim, codec, metadata, batch_size, report)
    if done is not None:
        # A kill after the last rename may have left the journal of a finished store.
        remove_leftovers(store)
        report(Note(f"{store} is up to date"))
        return EncodeResult(store, len(ids), time.monotonic() - started, len(ids), done.bytes_per_video)
    wanted = sample_rows(codec)
    like = sample(wanted, splits, catalogues, embedder) if wanted else np.empty((0, dim), np.float32)
    chosen = Codec.fit(codec, like)
    report(Note(f"{len(ids):,} videos, {_megabytes(len(ids) * chosen.bytes_per_video)} in {store.name}"))
    if note := precision_note(precision, trained, used):
        report(Note(note))
    with open_writer(
        store, ids=ids, labels=labels, codec=chosen, splits=ranges(catalogues), metadata=metadata
    ) as writer:
        resumed = writer.rows_done
        if resumed:
            report(Note(f"continuing after {resumed:,} of {len(ids):,} videos"))
        rest = windows(splits, catalogues, resumed, embedder.window_size)
        _fill(writer, rest, embedder, len(ids), report)
        writer.finish()
    return EncodeResult(store, len(ids), time.monotonic() - started, resumed, chosen.bytes_per_video)


def _fill(
    writer: StoreWriter, windows: Iterator[Window], embedder: Embedder, total: int, report: Reporter
) -> None:
    """Append the embeddings of all windows from row `writer.rows_done` on, of `total` videos.

    After a restart the windows are the same ones, so that not even the rounding differs.
    """
    waiting: list[np.ndarray] = []
    clock = Stopwatch(total, report)
    since, done = time.monotonic(), writer.rows_done
    with closing(embedder.embed(windows)) as batches:
        for batch in batches:
            done += batch.videos
            report(Progress("encode", done, total))
            clock.tick(done)
            if batch.window is not None:
                waiting.append(batch.window)
            late = time.monotonic() - since >= _BLOCK_SECONDS
            if late or interrupt_requested() or sum(map(len, waiting)) >= BLOCK_ROWS:
                if waiting:
                    writer.write(np.concatenate(waiting))
                waiting, since = [], time.monotonic()
                check_interrupt()
    if waiting:
        writer.write(np.concatenate(waiting))


def _finished(
    path: Path,
    ids: np.ndarray,
    dim: int,
    codec: str,
    metadata: Mapping[str, Any],
    batch_size: int | None,
    report: Reporter,
) -> Store | None:
    """The store at `path` if it is already the wanted one."""
    try:
        store = open_store(path)
    except NotFoundError:
        return None
    except CorruptArtifactError as error:
        report(Note(f"{error}; encoding it again"))
        return None
    if store.metadata.get("run") != metadata["run"]:
        raise UsageError(
            f"holds the embeddings of run {store.metadata.get('run')!r}, not of {metadata['run']!r}",
            where=path,
            hint="choose another --output, or remove it",
        )
    was, now = store.metadata.get("precision"), metadata["precision"]
    if was != now:
        report(Note(f"{path} was computed in {was}; encoding it again in {now}"))
        return None
    # The batch size changes rounding only: if none is asked for, any finished store will do.
    ignored = {"window"} if batch_size else {"window", "batch_size"}
    stored, wanted = ({k: v for k, v in m.items() if k not in ignored} for m in (store.metadata, metadata))
    same = (
        (store.dim, store.codec.name) == (dim, codec)
        and stored == wanted
        and np.array_equal(store.id_bytes, ids)
    )
    return store if same else None


def _metadata(
    run: Path, facts: Mapping[str, Any], splits: Mapping[str, Source], embedder: Embedder
) -> dict[str, Any]:
    return {
        "run": run.name,
        "model_sha256": model_sha256(run),
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
    }


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
