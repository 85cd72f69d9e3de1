"""Every row, in the order of the table. A new path is one file here and its `ROWS` below."""

from __future__ import annotations

from benchmarks.paths import (
    encode,
    encode_workers,
    gpu,
    gpu_train,
    index_open,
    lstm,
    metrics,
    moe_head,
    optimizer,
    qrnn,
    read_frames,
    read_videos,
    search_approximate,
    search_exact,
    store_read,
    store_write,
    table_cache,
    train_residual_cnn,
)
from benchmarks.row import Row

_MODULES = (
    read_videos,
    read_frames,
    table_cache,
    encode,
    encode_workers,
    train_residual_cnn,
    optimizer,
    moe_head,
    qrnn,
    lstm,
    metrics,
    search_exact,
    search_approximate,
    index_open,
    store_write,
    store_read,
    gpu,
    gpu_train,
)
ROWS: tuple[Row, ...] = tuple(row for module in _MODULES for row in module.ROWS)
