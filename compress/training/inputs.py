"""From rows of a table to what a model reads, and the statistics its input norm wants."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import numpy as np
import torch

from compress.datasets.batches import Position, Step, bucketed_batches, sequential_batches, shuffled_batches
from compress.datasets.table import FrameTable, VideoTable
from compress.training.config import NormMode, TrainConfig
from compress.training.whitening import whitening
from encoders import InputNorm, InputNormConfig, Inputs

Table = VideoTable | FrameTable

_STATISTICS_ROWS = 4096  # rows or frames at once
_STATISTICS_FRAMES = 2_000_000  # frames are many and alike: this many, spread evenly, give the statistics
_SAMPLED_ROWS = 997


def batch(table: Table, rows: np.ndarray, device: torch.device) -> tuple[Inputs, torch.Tensor]:
    """Inputs of the model and labels bool (B, C) of some rows, on `device`."""
    *arrays, labels = (torch.from_numpy(array).to(device) for array in table.batch(rows))
    inputs: Inputs = arrays[0] if len(arrays) == 1 else (arrays[0], arrays[1])
    return inputs, labels


def training_order(table: Table, batch_size: int, seed: int, start: Position) -> Iterator[Step]:
    """Endless shuffled batches from `start`; of similar length where the table holds frames."""
    if isinstance(table, FrameTable):
        return bucketed_batches(table.num_frames, batch_size, seed, start)
    return shuffled_batches(len(table), batch_size, seed, start)


def reading_order(table: Table, batch_size: int) -> list[np.ndarray]:
    """Every row once, in order; where the table holds frames, by length, so that little is padding."""
    if not isinstance(table, FrameTable):
        return list(sequential_batches(len(table), batch_size))
    order = np.argsort(table.num_frames, kind="stable")
    return [order[rows] for rows in sequential_batches(len(table), batch_size)]


def input_norm_config(mode: NormMode, dim: int, undo_whitening: bool = False) -> InputNormConfig:
    """The input norm that a recipe names, for features of `dim` numbers."""
    if mode == "l2_scaled":
        return InputNormConfig(dim, "l2", scale=math.sqrt(dim), undo_whitening=undo_whitening)
    return InputNormConfig(dim, mode, undo_whitening=undo_whitening)


def fit_input_norm(norm: InputNorm, config: TrainConfig, table: Table) -> None:
    """Give the input norm of a recipe what it needs: the whitening that it undoes, and the statistics."""
    if norm.config.undo_whitening:
        norm.set_whitening(whitening(config.undo_whitening, table.schema))
    set_input_statistics(norm, table)


def set_input_statistics(norm: InputNorm, table: Table) -> None:
    """Give the input norm the mean and deviation of each dimension over the table's videos (or frames)."""
    if norm.config.mode not in ("standardize", "l2_standardize"):
        return
    data = table.frames if isinstance(table, FrameTable) else table.features
    every = max(1, len(data) // _STATISTICS_FRAMES)
    count, total = 0, torch.zeros(norm.config.dim, dtype=torch.float64)
    squares = torch.zeros_like(total)
    for first in range(0, len(data), _STATISTICS_ROWS * every):
        rows = np.array(data[first : first + _STATISTICS_ROWS * every : every])  # torch wants it writable
        block = norm.before_statistics(torch.from_numpy(rows)).double()
        count, total, squares = count + len(block), total + block.sum(0), squares + block.square().sum(0)
    mean = total / count
    norm.set_statistics(mean.float(), (squares / count - mean.square()).clamp_min(0).sqrt().float())


def fingerprint(table: Table) -> str:
    """sha256 over ids, labels, lengths and a sample of the numbers: is this still the same data?"""
    digest = hashlib.sha256(repr(table.schema).encode())
    data = table.frames if isinstance(table, FrameTable) else table.features
    parts = [table.ids, table.labels.indptr, table.labels.indices, data[::_SAMPLED_ROWS]]
    parts += [table.indptr] if isinstance(table, FrameTable) else []
    for part in parts:
        digest.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
