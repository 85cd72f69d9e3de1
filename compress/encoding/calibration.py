"""The embeddings that a codec takes its ranges from: of videos spread evenly over the first split."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compress.codecs.registry import sample_rows
from compress.datasets.catalogue import Catalogue
from compress.datasets.source import Source
from compress.encoding.embedder import Embedder
from compress.encoding.windows import sampled_windows


def sample(
    codec: str,
    splits: Mapping[str, Source],
    catalogues: Mapping[str, Catalogue],
    embedder: Embedder,
) -> np.ndarray | None:
    """Float32 (n, dim), n about what the codec wants, however large a shard is; None where it needs none.

    Of every so many videos of the chosen shards, the same ones each time.
    """
    wanted = sample_rows(codec)
    if not wanted:
        return None
    name, source = next(iter(splits.items()))
    places = _places(catalogues[name].rows_per_shard, wanted)
    every = max(1, int(catalogues[name].rows_per_shard[places].sum()) // wanted)
    chosen = sampled_windows(source, places, every, embedder.window_size)
    return np.concatenate([done.window for done in embedder.embed(chosen) if done.window is not None])


def _places(rows_per_shard: np.ndarray, videos: int) -> np.ndarray:
    """The fewest evenly spread shards that hold `videos` videos or more; shards may differ in size."""
    shards = len(rows_per_shard)
    least = -(-videos * shards // max(1, int(rows_per_shard.sum())))
    for wanted in range(min(shards, least), shards):
        places = np.arange(wanted) * shards // wanted
        if rows_per_shard[places].sum() >= videos:
            return places
    return np.arange(shards)
