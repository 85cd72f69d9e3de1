"""From shards through a trained encoder to a store: streamed, resumable, the same bytes after any kill."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from compress.codecs.registry import build_codec, needs_sample
from compress.datasets.catalogue import Catalogue, scan
from compress.datasets.source import Source
from compress.encoding.embedder import Embedder
from compress.encoding.videos import batches, joined_ids, joined_labels, ranges, records
from compress.errors import CorruptArtifactError, NotFoundError, UsageError
from compress.progress import Note, Progress, Reporter, check_interrupt, interrupt_requested, silent
from compress.store.partial import remove_leftovers
from compress.store.reader import Store, open_store
from compress.store.writer import StoreWriter, open_writer
from compress.training.estimate import duration
from compress.training.run import check_fits, load_model, model_sha256
from encoders import keep_freed_memory

BATCH_SIZE = 256
_BLOCK_SECONDS = 2.0  # a kill loses at most this much work, or one batch
_BLOCK_ROWS = 8192
_MEASURE_SECONDS = 5.0
_CALIBRATION_ROWS = 8192


@dataclass(frozen=True)
class EncodeResult:
    """A finished store: where, how many videos, how many of them an earlier, stopped run had done."""

    path: Path
    videos: int
    seconds: float
    resumed_rows: int
    bytes_per_video: int


def encode(
    run: Path,
    splits: Mapping[str, Source],
    store: Path,
    *,
    codec: str = "float32",
    batch_size: int = BATCH_SIZE,
    device: str = "cpu",
    report: Reporter = silent,
) -> EncodeResult:
    """Embed every video of some shards, once.

    Args:
        run: folder of a finished training.
        splits: source of each split by name, in the order in which their rows are stored.
        store: the file to write. An unfinished one of the same arguments is continued, a finished one kept.
        codec: how numbers are stored; calibrated, where it needs that, on videos of the first split.
        batch_size: videos at once; memory grows with it, and with nothing else but ids and labels.
        device: "cpu" or "cuda".
        report: gets estimate and progress.

    Raises:
        NotFoundError: no finished training in `run`.
        SchemaError: encoder and shards do not fit.
        RecordError, CorruptShardError: unusable records; ids that occur in two splits.
        StorageError: the disk refused, or has no room for the whole store.
        Interrupted: on request, after the block at hand was stored.
    """
    if batch_size < 1:
        raise UsageError(f"batch size must be at least 1, not {batch_size}")
    keep_freed_memory()
    started = time.monotonic()
    model, facts = load_model(run)
    for source in splits.values():
        check_fits(facts, source.schema, run)
    catalogues = {name: scan(source, report) for name, source in splits.items()}
    ids, labels = joined_ids(catalogues), joined_labels(catalogues)
    embedder = Embedder(model.to(device), facts["train_config"]["precision"])
    metadata = _metadata(run, facts, splits, batch_size)

    done = _finished(store, ids, codec, metadata, report)
    if done is not None:
        remove_leftovers(store)
        report(Note(f"{store} is up to date"))
        return EncodeResult(store, len(ids), time.monotonic() - started, len(ids), done.bytes_per_video)
    chosen = build_codec(codec, model.dim, _sample(codec, splits, catalogues, embedder))
    report(Note(f"{len(ids):,} videos, {_megabytes(len(ids) * chosen.bytes_per_video)} in {store.name}"))
    with open_writer(
        store, ids=ids, labels=labels, codec=chosen, splits=ranges(catalogues), metadata=metadata
    ) as writer:
        resumed = writer.rows_done
        if resumed:
            report(Note(f"continuing after {resumed:,} of {len(ids):,} videos"))
        _fill(writer, splits, catalogues, embedder, batch_size, report)
        writer.finish()
    return EncodeResult(store, len(ids), time.monotonic() - started, resumed, chosen.bytes_per_video)


def _fill(
    writer: StoreWriter,
    splits: Mapping[str, Source],
    catalogues: Mapping[str, Catalogue],
    embedder: Embedder,
    batch_size: int,
    report: Reporter,
) -> None:
    total = sum(len(catalogue) for catalogue in catalogues.values())
    waiting: list[np.ndarray] = []
    clock = _Clock(total, report)
    since, done = time.monotonic(), writer.rows_done
    # Batches are the same ones after a restart, so that not even rounding differs.
    for batch in batches(records(splits, catalogues, writer.rows_done), batch_size):
        waiting.append(embedder(batch))
        done += len(batch)
        report(Progress("encode", done, total))
        clock.tick(done)
        late = time.monotonic() - since >= _BLOCK_SECONDS
        if late or interrupt_requested() or sum(map(len, waiting)) >= _BLOCK_ROWS:
            writer.write(np.concatenate(waiting))
            waiting, since = [], time.monotonic()
            check_interrupt()
    if waiting:
        writer.write(np.concatenate(waiting))


class _Clock:
    """Says once, after the first seconds, how long the rest will take."""

    def __init__(self, total: int, report: Reporter) -> None:
        self._total, self._report = total, report
        self._first: tuple[int, float] | None = None
        self._said = False

    def tick(self, done: int) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = (done, now)  # the first batch pays for warming up
            return
        rows, passed = done - self._first[0], now - self._first[1]
        if not self._said and passed >= _MEASURE_SECONDS:
            self._said = True
            left = duration((self._total - done) * passed / rows)
            self._report(Note(f"the rest takes about {left} ({rows / passed:,.0f} videos/s)"))


def _sample(
    codec: str, splits: Mapping[str, Source], catalogues: Mapping[str, Catalogue], embedder: Embedder
) -> np.ndarray | None:
    """Embeddings that a codec takes its ranges from: of shards spread evenly over the first split.

    About `_CALIBRATION_ROWS` of them, however large a shard is: every so many videos of the chosen shards.
    """
    if not needs_sample(codec):
        return None
    name, source = next(iter(splits.items()))
    places = _places(catalogues[name].rows_per_shard)
    every = max(1, int(catalogues[name].rows_per_shard[places].sum()) // _CALIBRATION_ROWS)
    videos = (
        record for place in places for record in islice(source.read(source.shards[place]), 0, None, every)
    )
    return np.concatenate([embedder(batch) for batch in batches(videos, BATCH_SIZE)])


def _places(rows_per_shard: np.ndarray) -> np.ndarray:
    """The fewest evenly spread shards that hold enough videos to calibrate on; shards may differ in size."""
    shards = len(rows_per_shard)
    least = -(-_CALIBRATION_ROWS * shards // max(1, int(rows_per_shard.sum())))
    for wanted in range(min(shards, least), shards):
        places = np.arange(wanted) * shards // wanted
        if rows_per_shard[places].sum() >= _CALIBRATION_ROWS:
            return places
    return np.arange(shards)


def _finished(
    path: Path, ids: np.ndarray, codec: str, metadata: Mapping[str, Any], report: Reporter
) -> Store | None:
    """The store at `path` when it already is what is asked for."""
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
    same = store.codec.name == codec and store.metadata == metadata and np.array_equal(store.ids, ids)
    return store if same else None


def _metadata(
    run: Path, facts: Mapping[str, Any], splits: Mapping[str, Source], batch_size: int
) -> dict[str, Any]:
    return {
        "run": run.name,
        "model_sha256": model_sha256(run),
        "encoder": facts["train_config"]["encoder"],
        "encoder_options": facts["model_config"]["encoder_options"],
        "precision": facts["train_config"]["precision"],
        "parameters": facts["parameters"],
        "batch_size": batch_size,
        "sources": {name: source.fingerprint() for name, source in splits.items()},
        "synthetic_frames": any(source.schema.synthetic_frames for source in splits.values()),
        "level": next(iter(splits.values())).schema.level,
    }


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
