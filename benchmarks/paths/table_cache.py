"""A pass over the training videos after the first one: the mapped table, against reading shards again."""

from __future__ import annotations

import numpy as np

from benchmarks.data import video_source
from benchmarks.paths.agreement import same
from benchmarks.rivals import protobuf_messages
from benchmarks.row import Contest, Row, Settings, Work
from compress.datasets import VideoTable, load_table, sequential_batches

BATCH = 256


def prepare(settings: Settings) -> Contest:
    """Features of every video, a batch at a time."""
    source = video_source(settings, settings.size(4_000, 20_000))
    cache = settings.scratch / "cache"
    load_table(source, cache=cache)
    table = load_table(source, cache=cache)
    assert isinstance(table, VideoTable)  # `video_source` reads no frames

    def ours() -> np.ndarray:
        last = np.empty(0)
        for rows in sequential_batches(len(table), BATCH):
            last, _ = table.batch(rows)
        return last

    def rival() -> np.ndarray:
        waiting: list[np.ndarray] = []
        last = np.empty(0)
        for shard in source.shards:
            for _, _, features in protobuf_messages.read_videos(shard, source.schema):
                waiting.append(features)
                if len(waiting) == BATCH:
                    last, waiting = np.stack(waiting), []
        return np.stack(waiting) if waiting else last

    return Contest(
        ours=ours,
        rival=rival,
        units=len(table),
        checked=same("features of the last batch", ours(), rival()),
        work=Work(
            4.0 * len(table) * source.schema.dim,
            "memory copy",
            f"{len(table):,} videos x {source.schema.dim} x 4 B",
        ),
        notes=("ours gives labels (B, C) too", "the cache in memory"),
    )


ROWS = (
    Row(
        "table-cache",
        "Read",
        "load_table(cache), in batches",
        "protobuf (upb) and numpy, every epoch",
        "videos",
        prepare,
        long_run=True,
    ),
)
