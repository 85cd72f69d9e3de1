"""The main loop of encoding: embeddings into the store, block by block."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np

from compress.encoding.embedder import Embedder
from compress.encoding.windows import Window
from compress.progress import Note, Progress, Reporter, check_interrupt, interrupt_requested
from compress.store.writer import StoreWriter
from compress.training.estimate import duration

BLOCK_ROWS = 8192
_BLOCK_SECONDS = 2.0  # a kill loses at most this much work, or one window
_MEASURE_SECONDS = 5.0


def fill(
    writer: StoreWriter, windows: Iterator[Window], embedder: Embedder, total: int, report: Reporter
) -> None:
    """Append the embeddings of all windows.

    Args:
        windows: from row `writer.rows_done` on, the same ones after a restart: so not even rounding differs.
        total: videos of the finished store.

    Raises:
        Interrupted: on request, after all finished windows were stored.
    """
    waiting: list[np.ndarray] = []
    clock = _Clock(total, report)
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
                _write(writer, waiting)
                waiting, since = [], time.monotonic()
                check_interrupt()
    _write(writer, waiting)


def _write(writer: StoreWriter, waiting: list[np.ndarray]) -> None:
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
