"""From rows of a table to batches for a model, made on the host or on the device.

A table in the device's memory makes its batches there: only row numbers are sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compress.datasets.batches import (
    Position,
    Step,
    bucketed_batches,
    sequential_batches,
    shuffled_batches,
    visits_of_few,
)
from compress.datasets.table import FrameTable, VideoTable
from compress.labels import Labels
from compress.progress import Progress, Reporter, check_interrupt, silent
from encoders import Inputs

Table = VideoTable | FrameTable
_SAMPLED_ROWS = 997  # every so many rows are hashed: all features would take minutes
_BLOCK_BYTES = 64 << 20  # copied to the device at a time


def batch(table: Table, rows: np.ndarray, device: torch.device) -> tuple[Inputs, torch.Tensor]:
    """Inputs of the model and labels bool (B, C) of some rows, on `device`."""
    *arrays, labels = (torch.from_numpy(array).to(device) for array in table.batch(rows))
    inputs: Inputs = arrays[0] if len(arrays) == 1 else (arrays[0], arrays[1])
    return inputs, labels


def training_order(
    table: Table,
    batch_size: int,
    seed: int,
    start: Position,
    *,
    rows: np.ndarray | None = None,
    least_batches: int = 0,
) -> Iterator[Step]:
    """Endless shuffled batches from `start`; at frame level of videos of similar length.

    Args:
        table: N videos.
        batch_size: videos per batch.
        seed: of the order.
        start: where an earlier run stopped.
        rows: int64 (n,), the rows that are visited; None for all.
        least_batches: an epoch visits each row as often as it needs to have so many.
    """
    count = len(table) if rows is None else len(rows)
    visits = visits_of_few(count, batch_size, least_batches)
    if isinstance(table, FrameTable):
        lengths = table.num_frames if rows is None else table.num_frames[rows]
        order = bucketed_batches(lengths, batch_size, seed, start, visits=visits)
    else:
        order = shuffled_batches(count, batch_size, seed, start, visits=visits)
    return order if rows is None else ((after, rows[places]) for after, places in order)


def reading_order(table: Table, batch_size: int) -> list[np.ndarray]:
    """Every row once, in order; at frame level by length, so that there is little padding."""
    if not isinstance(table, FrameTable):
        return list(sequential_batches(len(table), batch_size))
    order = np.argsort(table.num_frames, kind="stable")
    return [order[rows] for rows in sequential_batches(len(table), batch_size)]


def fingerprint(table: Table) -> str:
    """sha256 over ids, labels, lengths and a sample of the features: tells whether videos are the same."""
    digest = hashlib.sha256(repr(table.schema).encode())
    data = table.frames if isinstance(table, FrameTable) else table.features
    parts = [table.ids, table.labels.indptr, table.labels.indices, data[::_SAMPLED_ROWS]]
    parts += [table.indptr] if isinstance(table, FrameTable) else []
    for part in parts:
        digest.update(repr(part.shape).encode() + np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class DeviceTable:
    """A table on the device; its batches equal those of `Table.batch` to the bit.

    Args:
        table: the same table on the host. It gives the size of a batch: asking the device would make the host
            wait for it.
        data: features float32 (N, D), or frames (sum of T, D), uint8 codes or float32.
        frame_indptr: int64 (N + 1,), the frames of each video; None at video level.
        label_indptr: int64 (N + 1,); the classes of video i are `label_classes[indptr[i]:indptr[i + 1]]`.
        label_classes: int32 (all labels,).
    """

    table: Table
    data: Tensor
    frame_indptr: Tensor | None
    label_indptr: Tensor
    label_classes: Tensor

    def batch(self, rows: np.ndarray) -> tuple[Inputs, Tensor]:
        """Inputs of the model and labels bool (B, C) of int64 rows (B,); see `Table.batch`."""
        chosen = sent(rows, self.data.device)
        labels = self._labels(chosen, int(_lengths(self.table.labels.indptr, rows).sum()))
        if self.frame_indptr is None or not isinstance(self.table, FrameTable):
            return self.data.index_select(0, chosen), labels
        longest = int(_lengths(self.table.indptr, rows).max(initial=0))
        return self._frames(self.frame_indptr, chosen, longest), labels

    def _frames(self, indptr: Tensor, rows: Tensor, longest: int) -> tuple[Tensor, Tensor]:
        starts = indptr[rows]
        lengths = indptr[rows + 1] - starts
        places = torch.arange(longest, device=rows.device)
        padding = places >= lengths[:, None]
        wanted = (starts[:, None] + places).masked_fill_(padding, 0)
        frames = self.data.index_select(0, wanted.flatten()).view(len(rows), longest, self.data.shape[1])
        return frames.masked_fill_(padding[:, :, None], 0), lengths

    def _labels(self, rows: Tensor, total: int) -> Tensor:
        """bool (B, C); `total` is the number of labels of these rows."""
        starts = self.label_indptr[rows]
        lengths = self.label_indptr[rows + 1] - starts
        before = lengths.cumsum(0) - lengths
        videos = torch.repeat_interleave(
            torch.arange(len(rows), device=rows.device), lengths, output_size=total
        )
        places = torch.arange(total, device=rows.device) + (starts - before)[videos]
        classes = self.table.labels.num_classes
        dense = torch.zeros(len(rows) * classes, dtype=torch.bool, device=rows.device)
        dense.scatter_(0, videos * classes + self.label_classes[places], True)
        return dense.view(len(rows), classes)


def device_table(table: Table, device: torch.device, report: Reporter = silent) -> DeviceTable:
    """Copy a table to the device, some rows at a time."""
    source = table.frames if isinstance(table, FrameTable) else table.features
    codes = isinstance(table, FrameTable) and not table.schema.float_frames
    data = torch.empty(source.shape, dtype=torch.uint8 if codes else torch.float32, device=device)
    block = max(1, _BLOCK_BYTES // max(1, data.shape[1] * data.element_size()))
    for first in range(0, len(source), block):
        rows = np.array(source[first : first + block])  # torch wants it writable
        data[first : first + len(rows)].copy_(torch.from_numpy(rows))
        report(Progress("to the device", min(first + block, len(source)), len(source)))
        check_interrupt()
    indptr = torch.from_numpy(np.array(table.indptr)).to(device) if isinstance(table, FrameTable) else None
    labels: Labels = table.labels
    arrays = (torch.from_numpy(np.array(array)).to(device) for array in (labels.indptr, labels.indices))
    return DeviceTable(table, data, indptr, *arrays)


def bytes_of(table: Table) -> int:
    """Size of its `DeviceTable`."""
    rows = table.frames if isinstance(table, FrameTable) else table.features
    size = np.dtype(table.schema.row_type).itemsize
    numbers = 2 * 8 * (len(table) + 1) + 4 * len(table.labels.indices)
    return rows.shape[0] * rows.shape[1] * size + numbers


def sent(array: np.ndarray, device: torch.device) -> Tensor:
    """An array on the device; the host does not wait until it is there."""
    tensor = torch.from_numpy(array)
    if device.type == "cuda":  # only pinned memory is copied in the background
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def _lengths(indptr: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return indptr[rows + 1] - indptr[rows]


def take_videos(table: Table, rows: np.ndarray, prefix: str = "") -> Table:
    """The videos `rows` int64 (n,) as a table; with a prefix they get new ids, so that one may come often."""
    ids = table.ids[rows]
    if prefix:
        ids = np.array([f"{prefix}{place}".encode() for place in range(len(rows))])
    labels = table.labels.take(rows)
    if isinstance(table, VideoTable):
        return VideoTable(ids, np.asarray(table.features[rows]), labels, table.schema)
    parts = [table.frames[table.indptr[row] : table.indptr[row + 1]] for row in rows]
    indptr = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return FrameTable(ids, np.concatenate(parts), indptr, labels, table.schema)
