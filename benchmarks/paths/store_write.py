"""Writing embeddings of 320 numbers: checksummed and on the disk, against h5py and np.save."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.data import clustered
from benchmarks.paths.agreement import same
from benchmarks.paths.searching import DIM, write_store
from benchmarks.rivals import plain_h5py
from benchmarks.row import Contest, Goal, Row, Settings, Work
from compress.store.reader import open_store

BATCH = 256  # what `compress encode` has at a time


def row_by_row(settings: Settings) -> Contest:
    """Against a dataset that grows by a video at a time."""
    rows = clustered(settings.size(4_000, 20_000), DIM, 0)
    return _contest(settings, rows, plain_h5py.write_row_by_row, plain_h5py.read_all)


def chunked(settings: Settings) -> Contest:
    """Against a chunked dataset that grows by a batch at a time."""
    rows = clustered(settings.size(50_000, 200_000), DIM, 0)
    write = partial(plain_h5py.write_chunked, batch=BATCH)
    return _contest(settings, rows, write, plain_h5py.read_all)


def durable(settings: Settings) -> Contest:
    """Against np.save with fsync, by the clock on the wall: both wait for the disk."""
    rows = clustered(settings.size(100_000, 400_000), DIM, 0)
    return _contest(settings, rows, plain_h5py.save_npy, np.load, "write and fsync")


def _contest(
    settings: Settings,
    rows: np.ndarray,
    rival: Callable[[Path, np.ndarray], None],
    read: Callable[[Path], np.ndarray],
    resource: str = "sha256",
) -> Contest:
    mine, theirs = settings.scratch / "store.h5", settings.scratch / "rival"

    def write() -> None:
        mine.unlink(missing_ok=True)
        write_store(mine, rows)

    write()
    rival(theirs, rows)
    return Contest(
        ours=write,
        rival=lambda: rival(theirs, rows),
        units=rows.nbytes,
        checked=same("rows read back", open_store(mine).decode(0, len(rows)), read(theirs)),
        work=Work(rows.nbytes, resource, f"{len(rows):,} videos x {DIM} x 4 B"),
        notes=("ours includes ids, journal, fsync and the sha256 of the whole file",),
    )


_OURS = "open_writer to finish"
ROWS = (
    Row("store-write-rows", "Store", _OURS, "h5py, a row at a time", "bytes", row_by_row, long_run=True),
    Row(
        "store-write-batches",
        "Store",
        _OURS,
        "h5py, chunked, 256 rows at a time",
        "bytes",
        chunked,
        long_run=True,
    ),
    Row(
        "store-write-durable",
        "Store",
        _OURS,
        "np.save and fsync",
        "bytes",
        durable,
        Goal("rate", 1e9),
        "wall",
        long_run=True,
    ),
)
