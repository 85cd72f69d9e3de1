"""Embeddings of a few videos, as numbers, without a store: queries for codes are not rounded as codes are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from compress.datasets.blocks import VIDEOS_A_BLOCK, Block
from compress.datasets.source import Source
from compress.encoding.embedder import Embedder
from compress.encoding.store import BATCH_SIZE
from compress.encoding.windows import Window
from compress.training.precision import Precision
from compress.training.run import check_fits, load_model
from compress.workers import workers_for


def embed_picked(
    run: Path, source: Source, ids: np.ndarray, *, dim: int, precision: Precision, device: str
) -> np.ndarray:
    """Embed the videos `ids` of some shards.

    Args:
        run: folder of a finished training.
        ids: S (n,), ascending.
        dim: numbers of an embedding, all of them or a prefix.
        precision: "fp32" or "bf16".
        device: "cpu" or "cuda".

    Returns:
        Float32 (n, dim) in the order of `ids`; rows of NaN for those that are not in the shards.

    Raises:
        NotFoundError: no finished training in `run`.
        SchemaError: encoder and shards do not fit.
        And what reading a source raises.
    """
    model, facts = load_model(run)
    check_fits(facts, source.schema, run)
    size = BATCH_SIZE[device][model.encoder.level]
    embedder = Embedder(model.to(device), precision, size, workers_for(device), dim)
    found = np.full((len(ids), dim), np.nan, np.float32)
    places: list[int] = []
    picked = _picked(source, ids, embedder.window_size, places)
    done = 0
    with closing(embedder.embed(picked)) as batches:
        for batch in batches:
            if batch.window is not None:
                found[places[done : done + len(batch.window)]] = batch.window
                done += len(batch.window)
    return found


def _picked(source: Source, ids: np.ndarray, size: int, places: list[int]) -> Iterator[Window]:
    """The wanted videos, `size` a window, as they come; `places` gets where in `ids` each of them stands."""
    videos: list[np.ndarray] = []
    for shard in source.shards:
        for block in source.read_blocks(shard, VIDEOS_A_BLOCK[source.schema.level]):
            at = np.minimum(np.searchsorted(ids, block.ids), len(ids) - 1)
            for video in np.flatnonzero(ids[at] == block.ids):
                places.append(int(at[video]))
                videos.append(_copied(block, int(video)))
                if len(videos) == size:
                    yield _window(videos, block)
                    videos = []
    if videos:
        yield _window(videos, block)


def _copied(block: Block, video: int) -> np.ndarray:
    if block.num_frames is None:
        return block.rows[video].copy()
    stop = int(block.num_frames[: video + 1].sum())
    return block.rows[stop - int(block.num_frames[video]) : stop].copy()


def _window(videos: list[np.ndarray], like: Block) -> Window:
    return Window(torch.from_numpy(np.stack(videos)) if like.num_frames is None else videos)
