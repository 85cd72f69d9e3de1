"""Batches of a training: made on the device from a copy of the table, or on the host, by a thread."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from compress.datasets.batches import Position, Step
from compress.progress import Note, Reporter, silent
from compress.training.inputs import Table, batch, bytes_of, device_table
from encoders import Inputs

RESIDENT_SHARE = 0.5  # of the device's free memory; the rest is for model, optimiser and activations
AHEAD = 2  # batches ready on the host: one is sent while the next is made
SWITCH = "COMPRESS_RESIDENT"


@dataclass(frozen=True)
class Batch:
    """One step's input, on the device.

    Args:
        after: the position after this batch.
        videos: how many.
        inputs: of `Model`.
        labels: bool (videos, C).
    """

    after: Position
    videos: int
    inputs: Inputs
    labels: Tensor


def batches(
    table: Table,
    order: Iterator[Step],
    device: torch.device,
    report: Reporter = silent,
    *,
    free_bytes: int | None = None,
) -> Generator[Batch]:
    """The batches of `order`, equal to the bit to those of `Table.batch`. Close the generator when done.

    A GPU with room for the whole table (RESIDENT_SHARE of its `free_bytes`, None to ask it) gets it once.
    Otherwise, or with COMPRESS_RESIDENT=off, a thread makes the next batches in pinned memory while the GPU
    computes. On a CPU each batch is made when it is needed: a second thread would only take a core from the
    model; but with `free_bytes` given a CPU is treated like a GPU.
    """
    if device.type == "cuda" and free_bytes is None:
        free_bytes = torch.cuda.mem_get_info(device)[0]
    if free_bytes is None:
        return direct(table, order, device)
    size = bytes_of(table)
    if os.environ.get(SWITCH, "").lower() in ("off", "0", "no", "false"):
        report(Note(f"{SWITCH}=off: the training videos are sent to the device batch by batch"))
        return prefetched(table, order, device)
    if size <= RESIDENT_SHARE * free_bytes:
        report(Note(f"the training videos ({_gigabytes(size)}) stay in the device's memory"))
        return resident(table, order, device, report)
    report(
        Note(
            f"the training videos ({_gigabytes(size)}) are more than {RESIDENT_SHARE:.0%} of the device's "
            f"free memory ({_gigabytes(free_bytes)}): they are sent to it batch by batch"
        )
    )
    return prefetched(table, order, device)


def direct(table: Table, order: Iterator[Step], device: torch.device) -> Generator[Batch]:
    """Each batch made when it is needed."""
    for after, rows in order:
        yield Batch(after, len(rows), *batch(table, rows, device))


def resident(
    table: Table, order: Iterator[Step], device: torch.device, report: Reporter = silent
) -> Generator[Batch]:
    """Each batch made on the device, from a copy of the table there."""
    there = device_table(table, device, report)
    for after, rows in order:
        yield Batch(after, len(rows), *there.batch(rows))


def prefetched(table: Table, order: Iterator[Step], device: torch.device) -> Generator[Batch]:
    """Each batch made by a thread, AHEAD of its use, and sent without waiting for its arrival.

    An error in making a batch is raised where that batch would have come.
    """
    ready: queue.Queue[tuple[Position, list[Tensor]] | BaseException] = queue.Queue(AHEAD)
    stop = threading.Event()
    thread = threading.Thread(
        target=_make, args=(table, order, device.type == "cuda", ready, stop), name="batches", daemon=True
    )
    thread.start()
    try:
        while True:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            after, host = item
            *arrays, labels = (tensor.to(device, non_blocking=True) for tensor in host)
            inputs: Inputs = arrays[0] if len(arrays) == 1 else (arrays[0], arrays[1])
            yield Batch(after, len(labels), inputs, labels)
    finally:
        stop.set()
        while thread.is_alive():  # it may wait for room in the queue, so empty it
            while not ready.empty():
                ready.get_nowait()
            thread.join(0.01)


def _make(
    table: Table,
    order: Iterator[Step],
    pin: bool,
    ready: queue.Queue[tuple[Position, list[Tensor]] | BaseException],
    stop: threading.Event,
) -> None:
    try:
        for after, rows in order:
            host = [_host(array, pin) for array in table.batch(rows)]
            ready.put((after, host))
            if stop.is_set():
                return
    except BaseException as error:  # handed over: the training raises it
        ready.put(error)


def _host(array: np.ndarray, pin: bool) -> Tensor:
    tensor = torch.from_numpy(array)
    return tensor.pin_memory() if pin else tensor


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
