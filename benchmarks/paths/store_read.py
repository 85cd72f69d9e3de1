"""Reading a store: everything, random rows, and its checksum."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from benchmarks.data import clustered
from benchmarks.paths.agreement import same
from benchmarks.paths.searching import DIM, write_store
from benchmarks.rivals import plain_h5py
from benchmarks.row import Contest, Goal, Row, Settings, Work
from compress.store.reader import Store, open_store

BATCH, ASKED = 256, 1000


def everything(settings: Settings) -> Contest:
    """All embeddings into memory."""
    store, theirs, rows = _sides(settings)
    return Contest(
        ours=lambda: store.decode(0, len(store)),
        rival=lambda: plain_h5py.read_all(theirs),
        units=rows.nbytes,
        checked=same("rows", store.decode(0, len(store)), plain_h5py.read_all(theirs)),
        work=Work(rows.nbytes, "memory copy", f"{len(rows):,} videos x {DIM} x 4 B"),
        notes=("files in the page cache",),
    )


def random_rows(settings: Settings) -> Contest:
    """Rows from all over the file."""
    store, theirs, rows = _sides(settings)
    wanted = np.random.default_rng(0).permutation(len(rows))[:ASKED]
    return Contest(
        ours=lambda: store.rows(wanted),
        rival=lambda: plain_h5py.read_rows(theirs, wanted),
        units=ASKED,
        checked=same("rows", store.rows(wanted), plain_h5py.read_rows(theirs, wanted)),
        work=Work(ASKED * DIM * 4, "memory copy", f"{ASKED:,} rows x {DIM} x 4 B"),
        notes=("files in the page cache",),
    )


def verified(settings: Settings) -> Contest:
    """Opening with every bit verified, against hashing the file in one piece."""
    store, _, rows = _sides(settings)
    path = store.path
    hashlib.sha256(path.read_bytes())
    return Contest(
        ours=lambda: open_store(path),
        rival=lambda: hashlib.sha256(path.read_bytes()).digest(),
        units=path.stat().st_size,
        checked=same("rows", open_store(path).decode(0, len(rows)), rows),
        work=Work(path.stat().st_size, "sha256", f"{path.stat().st_size:,} B of the file"),
        notes=("files in the page cache",),
    )


def _sides(settings: Settings) -> tuple[Store, Path, np.ndarray]:
    rows = clustered(settings.size(50_000, 200_000), DIM, 0)
    mine, theirs = settings.scratch / "store.h5", settings.scratch / "rival.h5"
    write_store(mine, rows)
    plain_h5py.write_chunked(theirs, rows, BATCH)
    return open_store(mine), theirs, rows


_CHUNKED = "h5py, chunked"
ROWS = (
    Row("store-read-all", "Store", "Store.decode", _CHUNKED, "bytes", everything, Goal("rate", 1e9)),
    Row(
        "store-read-rows",
        "Store",
        "Store.rows",
        f"{_CHUNKED}, row by row",
        "rows",
        random_rows,
        Goal("rate", 1e5),
    ),
    Row("store-verify", "Store", "open_store", "sha256 of the file's bytes", "bytes", verified),
)
