"""Windows of videos -> embedder -> an unfinished store, block by block."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np

from compress.encoding.embedder import Embedder, Window
from compress.progress import Progress, Reporter, check_interrupt, interrupt_requested
from compress.store.writer import StoreWriter
from compress.training.cost import Stopwatch

BLOCK_ROWS = 8192  # embeddings in memory at most
_BLOCK_SECONDS = 2.0  # the work that a kill loses at most, or one window


def fill(
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
