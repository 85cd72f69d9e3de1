"""Embeddings as arrays, without a store: of videos in memory, or of chosen videos of some shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from compress.datasets.record import VIDEOS_PER_BLOCK, Block
from compress.datasets.source import Source
from compress.encoding.embedder import Embedder, Window, cut_into_windows, stored_dim
from compress.encoding.scorer import Scorer
from compress.errors import SchemaError
from compress.training.precision import Precision
from compress.training.run import check_fits, load_model
from encoders import Model


def embed(
    model: Model,
    videos: np.ndarray | Sequence[np.ndarray],
    *,
    dim: int | None = None,
    any_dim: bool = False,
    batch_size: int | None = None,
    precision: Precision = "fp32",
    device: str = "cpu",
    workers: int | None = None,
) -> np.ndarray:
    """Embed videos in memory: the same embeddings as in a store of these videos in this order.

    Args:
        model: in evaluation mode, as `load_model` gives it; it is moved to the device.
        videos: features (n, D) of any number type; or frames, n arrays (t, D) with t >= 1, all uint8 codes
            or all floating point.
        dim: embedding size: one that the model was trained for; None for the whole embedding.
        any_dim: allow a `dim` that it was not trained for.
        batch_size: videos at once per worker; affects rounding. None for that of `encode`.
        precision: "fp32" or "bf16"; `choose_precision` says what "auto" means for a run.
        device: "cpu" or "cuda".
        workers: threads, as `encode` takes them; no embedding depends on it.

    Returns:
        Float32 (n, dim).

    Raises:
        SchemaError: frames for an encoder that reads features, or features for one that reads frames;
            another D than the model was trained on; a video without frames.
        UsageError: an embedding size that the model cannot give, or a batch size below 1.
    """
    size = stored_dim(model, dim, any_dim=any_dim)
    embedder = Embedder(model, precision, device, size, batch_size=batch_size, workers=workers)
    return _all(embedder, _fitting(model, videos))


def score(
    model: Model,
    videos: np.ndarray | Sequence[np.ndarray],
    *,
    batch_size: int | None = None,
    precision: Precision = "fp32",
    device: str = "cpu",
    workers: int | None = None,
) -> np.ndarray:
    """The probability of each class, float32 (n, C), by the model's own head; arguments as of `embed`.

    Raises:
        UsageError: a model without a head, or a batch size below 1.
        SchemaError: as `embed`.
    """
    scorer = Scorer(model, precision, device, batch_size=batch_size, workers=workers)
    return _all(scorer, _fitting(model, videos))


def _all(embedder: Embedder, videos: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """What an embedder gives for all videos, float32 (n, width)."""
    found = [np.empty((0, embedder.width), np.float32)]
    with closing(embedder.embed(cut_into_windows(videos, embedder.window_size))) as batches:
        found += [batch.window for batch in batches if batch.window is not None]
    return np.concatenate(found)


def _fitting(model: Model, videos: np.ndarray | Sequence[np.ndarray]) -> np.ndarray | Sequence[np.ndarray]:
    """The videos in the type that the model reads; SchemaError if it cannot read them."""
    name, level, wanted = model.config.encoder, model.encoder.level, model.input_norm.config.dim
    frames = not isinstance(videos, np.ndarray) or videos.ndim == 3
    if frames != (level == "frame"):
        needed = "a list of (t, D) arrays, one per video" if level == "frame" else "an (n, D) array"
        given = "frames" if frames else "one row of features per video"
        raise SchemaError(f"encoder {name!r} reads {level}-level data, not {given}", hint=f"pass {needed}")
    for number, video in enumerate(videos if frames else [videos]):
        what = f"frames of video {number}" if frames else "features"
        if video.ndim != 2 or video.shape[1] != wanted or (frames and not len(video)):
            needed = f"(t, {wanted}) with t >= 1" if frames else f"(n, {wanted})"
            raise SchemaError(f"{what} have shape {video.shape}, encoder {name!r} reads {needed}")
    if not frames:
        return videos
    codes = [video.dtype == np.uint8 for video in videos]
    if any(codes) and not all(codes):
        raise SchemaError(
            "some frames are uint8 codes and some are floating point", hint="give all in one type"
        )
    return list(videos) if all(codes) else [np.asarray(video, np.float32) for video in videos]


def embed_picked(
    run: str | Path, source: Source, ids: np.ndarray, *, dim: int, precision: Precision, device: str
) -> np.ndarray:
    """Embed the videos `ids` (bytes (n,), ascending) of some shards: queries without the rounding of codes.

    Returns float32 (n, dim) in the order of `ids`, with rows of NaN for those that are not in the shards.

    Raises:
        NotFoundError: no finished training in `run`.
        SchemaError: encoder and shards do not fit.
    """
    model, facts = load_model(run)
    check_fits(facts, source.schema, run)
    embedder = Embedder(model, precision, device, dim)
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
    """The wanted videos in shard order, `size` per window; `places` gets the place of each in `ids`."""
    videos: list[np.ndarray] = []
    taken = np.zeros(len(ids), dtype=bool)  # of videos with the same id a store has the first
    for shard in source.shards:
        for block in source.read_blocks(shard, VIDEOS_PER_BLOCK[source.schema.level]):
            at = np.minimum(np.searchsorted(ids, block.ids), len(ids) - 1)
            for video in np.flatnonzero(ids[at] == block.ids):
                if taken[at[video]]:
                    continue
                taken[at[video]] = True
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
