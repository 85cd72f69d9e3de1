"""From shards through a trained encoder to a store: streamed, resumable, the same bytes after any kill."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from compress.codecs.registry import build_codec, needs_sample
from compress.datasets.catalogue import Catalogue, scan
from compress.datasets.labels import Labels
from compress.datasets.record import FrameRecord, Record
from compress.datasets.source import Source
from compress.errors import NotFoundError, RecordError, SchemaError, UsageError
from compress.progress import Note, Progress, Reporter, check_interrupt, interrupt_requested, silent
from compress.store.reader import Store, open_store
from compress.store.writer import StoreWriter, open_writer
from compress.training.run import WEIGHTS, check_fits, load_model, model_manifest
from encoders import Inputs, Model, keep_freed_memory

BATCH_SIZE = 256
_BLOCK_SECONDS = 2.0  # a kill loses at most this much work, or one batch
_BLOCK_ROWS = 8192
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
    ids, labels = _joined_ids(catalogues), _joined_labels(catalogues)
    embedder = Embedder(model.to(device), facts["train_config"]["precision"])
    metadata = _metadata(run, facts, splits, batch_size)

    done = _finished(store, ids, codec, metadata)
    if done is not None:
        report(Note(f"{store} is up to date"))
        return EncodeResult(store, len(ids), time.monotonic() - started, len(ids), done.bytes_per_video)
    chosen = build_codec(codec, model.dim, _sample(codec, splits, catalogues, embedder))
    report(Note(f"{len(ids):,} videos, {_megabytes(len(ids) * chosen.bytes_per_video)} in {store.name}"))
    with open_writer(
        store, ids=ids, labels=labels, codec=chosen, splits=_ranges(catalogues), metadata=metadata
    ) as writer:
        resumed = writer.rows_done
        if resumed:
            report(Note(f"continuing after {resumed:,} of {len(ids):,} videos"))
        _fill(writer, splits, catalogues, embedder, batch_size, report)
        writer.finish()
    return EncodeResult(store, len(ids), time.monotonic() - started, resumed, chosen.bytes_per_video)


class Embedder:
    """A model and the precision it was validated in.

    Args:
        model: in evaluation mode, on its device.
        precision: "bf16" (autocast) or "fp32".
    """

    def __init__(self, model: Model, precision: str) -> None:
        self.model, self.dim = model, model.dim
        self.precision = precision
        self.device = next(iter(model.buffers())).device

    @torch.inference_mode()
    def __call__(self, records: list[Record]) -> np.ndarray:
        """Embeddings float32 (len(records), dim)."""
        bf16 = self.precision == "bf16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16):
            embedding = self.model.embed(_inputs(records, self.device))
        return np.ascontiguousarray(embedding.float().cpu().numpy())


def _inputs(records: list[Record], device: torch.device) -> Inputs:
    if not isinstance(records[0], FrameRecord):
        features = np.stack([record.features for record in records])  # type: ignore[union-attr]
        return torch.from_numpy(features).to(device)
    frames = [record.frames for record in records if isinstance(record, FrameRecord)]
    lengths = [len(one) for one in frames]
    padded = np.zeros((len(frames), max(lengths), frames[0].shape[1]), dtype=np.uint8)
    for row, one in zip(padded, frames, strict=True):
        row[: len(one)] = one
    return torch.from_numpy(padded).to(device), torch.tensor(lengths, device=device)


def _fill(
    writer: StoreWriter,
    splits: Mapping[str, Source],
    catalogues: Mapping[str, Catalogue],
    embedder: Embedder,
    batch_size: int,
    report: Reporter,
) -> None:
    total = sum(len(catalogue) for catalogue in catalogues.values())
    # Batches are the same ones after a restart, so that not even rounding differs.
    batches = _batches(_records(splits, catalogues, writer.rows_done), batch_size)
    waiting: list[np.ndarray] = []
    since, done = time.monotonic(), writer.rows_done
    for records in batches:
        waiting.append(embedder(records))
        done += len(records)
        report(Progress("encode", done, total))
        late = time.monotonic() - since >= _BLOCK_SECONDS
        if late or interrupt_requested() or sum(map(len, waiting)) >= _BLOCK_ROWS:
            writer.write(np.concatenate(waiting))
            waiting, since = [], time.monotonic()
            check_interrupt()
    if waiting:
        writer.write(np.concatenate(waiting))


def _batches(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    while batch := list(islice(records, size)):
        yield batch


def _records(
    splits: Mapping[str, Source], catalogues: Mapping[str, Catalogue], skip: int
) -> Iterator[Record]:
    """All records in order, but the first `skip`; shards that lie wholly before are not read again."""
    for name, source in splits.items():
        catalogue = catalogues[name]
        expected = iter(catalogue.ids)
        for shard, rows in zip(source.shards, catalogue.rows_per_shard.tolist(), strict=True):
            if skip >= rows:
                skip -= rows
                list(islice(expected, rows))
                continue
            for number, record in enumerate(source.read(shard)):
                if record.video_id != next(expected, None):
                    raise SchemaError("changed while it was read", where=shard, hint="run the command again")
                if number >= skip:
                    yield record
            skip = 0


def _sample(
    codec: str, splits: Mapping[str, Source], catalogues: Mapping[str, Catalogue], embedder: Embedder
) -> np.ndarray | None:
    """Embeddings that a codec takes its ranges from: of shards spread evenly over the first split."""
    if not needs_sample(codec):
        return None
    name, source = next(iter(splits.items()))
    per_shard = max(1, len(catalogues[name]) // len(source.shards))
    wanted = min(len(source.shards), -(-_CALIBRATION_ROWS // per_shard))
    chosen = [source.shards[place * len(source.shards) // wanted] for place in range(wanted)]
    records = (record for shard in chosen for record in source.read(shard))
    return np.concatenate([embedder(batch) for batch in _batches(records, BATCH_SIZE)])


def _finished(path: Path, ids: np.ndarray, codec: str, metadata: Mapping[str, Any]) -> Store | None:
    """The store at `path` when it already is what is asked for; corrupt ones raise."""
    try:
        store = open_store(path)
    except NotFoundError:
        return None
    same = store.codec.name == codec and store.metadata == metadata and np.array_equal(store.ids, ids)
    return store if same else None


def _metadata(
    run: Path, facts: Mapping[str, Any], splits: Mapping[str, Source], batch_size: int
) -> dict[str, Any]:
    return {
        "run": run.name,
        "model_sha256": model_manifest(run).files[WEIGHTS].sha256,
        "encoder": facts["train_config"]["encoder"],
        "encoder_options": facts["model_config"]["encoder_options"],
        "precision": facts["train_config"]["precision"],
        "parameters": facts["parameters"],
        "batch_size": batch_size,
        "sources": {name: source.fingerprint() for name, source in splits.items()},
        "synthetic_frames": any(source.schema.synthetic_frames for source in splits.values()),
        "level": next(iter(splits.values())).schema.level,
    }


def _ranges(catalogues: Mapping[str, Catalogue]) -> dict[str, tuple[int, int]]:
    ranges, start = {}, 0
    for name, catalogue in catalogues.items():
        ranges[name] = (start, start + len(catalogue))
        start += len(catalogue)
    return ranges


def _joined_ids(catalogues: Mapping[str, Catalogue]) -> np.ndarray:
    ids = np.concatenate([catalogue.ids for catalogue in catalogues.values()])
    ordered = np.sort(ids)
    twice = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(twice):
        names = " and ".join(name for name, c in catalogues.items() if ordered[twice[0]] in c.ids)
        raise RecordError(f"video {ordered[twice[0]].decode()!r} is in {names} (and {len(twice) - 1} more)")
    return ids


def _joined_labels(catalogues: Mapping[str, Catalogue]) -> Labels | None:
    all_labels = [catalogue.labels for catalogue in catalogues.values()]
    present = [labels for labels in all_labels if labels is not None]
    if not present:
        return None
    classes = {labels.num_classes for labels in present}
    if len(classes) > 1:
        raise SchemaError(f"splits have different numbers of classes: {sorted(classes)}")
    counts = [
        np.zeros(len(catalogue), dtype=np.int64) if labels is None else labels.counts()
        for catalogue, labels in zip(catalogues.values(), all_labels, strict=True)
    ]
    indptr = np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64)
    return Labels(indptr, np.concatenate([labels.indices for labels in present]), classes.pop())


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


__all__ = ["Embedder", "EncodeResult", "encode"]
