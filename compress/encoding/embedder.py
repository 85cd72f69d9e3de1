"""Windows of videos -> embeddings, computed by several threads in a chosen precision.

A window is a run of consecutive videos in memory, cut into batches; it depends on their places alone. The
frames of a batch are padded to its longest video: in reading order that makes a third more work; sorted by
length within windows of `BATCHES_PER_WINDOW` batches, a twentieth.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from compress.datasets.schema import Level
from compress.errors import UsageError
from compress.training.precision import Precision, device_settings
from compress.workers import in_order, workers_for
from encoders import Inputs, Model, prefix_embedding

BATCHES_PER_WINDOW: dict[Level, int] = {"video": 1, "frame": 8}
# On a CPU smaller batches read the weights too often, and larger ones do not fit the cache that two cores
# share (measured: ResidualCNN-320 and LSTM (1280, 640)). A GPU needs large batches to be busy.
BATCH_SIZE: Mapping[str, Mapping[Level, int]] = {
    "cpu": {"video": 32, "frame": 64},
    "cuda": {"video": 1024, "frame": 256},
}


@dataclass(frozen=True, eq=False)
class Window:
    """Some videos, copied.

    Args:
        videos: float32 (n, D) at video level; at frame level n arrays (T, D), all uint8 codes or all float32.
    """

    videos: Tensor | list[np.ndarray]

    def __len__(self) -> int:
        return len(self.videos)

    def batches(self, size: int) -> list[np.ndarray]:
        """Every video once: int64 (b,), b = size except in the last; at frame level by length."""
        order = np.arange(len(self))
        if not isinstance(self.videos, Tensor):
            order = np.argsort([len(video) for video in self.videos], kind="stable")
        return [order[start : start + size] for start in range(0, len(self), size)]

    def inputs(self, chosen: np.ndarray, device: torch.device) -> Inputs:
        """Inputs of a model on `device`; a copy to a GPU may still be under way."""
        if isinstance(self.videos, Tensor):
            # A window of a single batch needs no copy.
            rows = self.videos if len(chosen) == len(self) else self.videos[torch.from_numpy(chosen)]
            return _shipped(rows, device)
        some = [self.videos[place] for place in chosen]
        lengths = [len(video) for video in some]
        codes = some[0].dtype == np.uint8
        padded = torch.empty(
            len(some), max(lengths), some[0].shape[1], dtype=torch.uint8 if codes else torch.float32
        )
        for row, video in zip(padded.numpy(), some, strict=True):
            row[: len(video)], row[len(video) :] = video, 0
        return _shipped(padded, device), _shipped(torch.tensor(lengths), device)


def _shipped(tensor: Tensor, device: torch.device) -> Tensor:
    # From pinned memory the GPU copies in the background.
    return tensor if device.type == "cpu" else tensor.pin_memory().to(device, non_blocking=True)


def cut_into_windows(videos: np.ndarray | Sequence[np.ndarray], size: int) -> Iterator[Window]:
    """The windows of videos in memory, (n, D) or n arrays (T, D)."""
    for first in range(0, len(videos), size):
        some = videos[first : first + size]
        if isinstance(some, np.ndarray):
            features = torch.empty(some.shape)  # aligned by torch, as in `_Filling`
            features.numpy()[:] = some
            yield Window(features)
        else:
            yield Window(list(some))


def stored_dim(model: Model, dim: int | None, run: str | Path = "", *, any_dim: bool = False) -> int:
    """The embedding size to store: `dim`, or all dimensions for None; `any_dim` allows untrained sizes.

    Raises:
        UsageError: embeddings have fewer dimensions, or the model was not trained for this size.
    """
    if dim is None or dim in model.dims:
        return dim or model.dim
    if not 1 <= dim <= model.dim:
        raise UsageError(f"embeddings have {model.dim} dimensions, not {dim}", where=run)
    if any_dim:
        return dim
    # Closed-form encoders cannot be nested.
    nested = "" if model.head is None else f"train one with --nested {dim}, or "
    raise UsageError(
        f"was not trained for embedding size {dim}, only for {', '.join(map(str, model.dims))}",
        where=run,
        hint=f"{nested}cut it anyway with --any-dim",
    )


class Embedded(NamedTuple):
    """One batch: its number of videos and, if it was the last one, its window float32 (n, dim) in order."""

    videos: int
    window: np.ndarray | None


class _Task(NamedTuple):
    window: Window
    chosen: np.ndarray
    is_last: bool


class _Done(NamedTuple):
    """Result of a task; without the window, so that its memory is free."""

    embedding: Tensor
    chosen: np.ndarray
    is_last: bool
    window_size: int


class Embedder:
    """A model, how it computes, and in how many threads.

    Args:
        model: in evaluation mode; it is moved to the device.
        precision: "bf16" (autocast) or "fp32".
        device: "cpu" or "cuda".
        dim: embedding size: the model's, or a smaller one for its first dimensions; None for all.
        batch_size: videos at once; affects rounding. None for `BATCH_SIZE`.
        workers: threads that embed a batch each; 0 for the caller's thread only, None for as many as torch
            has; no embedding depends on it.

    Raises:
        UsageError: a batch size below 1.
    """

    def __init__(
        self,
        model: Model,
        precision: Precision,
        device: str,
        dim: int | None = None,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise UsageError(f"batch size must be at least 1, not {batch_size}")
        self.model, self.dim, self.precision = model.to(device), dim or model.dim, precision
        self.device = torch.device(device)
        self.batch_size = batch_size or BATCH_SIZE[device][model.encoder.level]
        self.workers = workers_for(device) if workers is None else workers

    @property
    def width(self) -> int:
        """Numbers per video."""
        return self.dim

    @property
    def window_size(self) -> int:
        """Videos per window."""
        return self.batch_size * BATCHES_PER_WINDOW[self.model.encoder.level]

    def embed(self, windows: Iterator[Window]) -> Generator[Embedded, None, None]:
        """One `Embedded` per batch, in order. Close the generator unless it is used up."""
        with (
            device_settings(self.device.type, self.precision),
            closing(in_order(self._start, self._tasks(windows), self.workers)) as batches,
        ):
            gathered: np.ndarray | None = None
            for done in batches:
                if gathered is None:
                    gathered = np.empty((done.window_size, self.width), dtype=np.float32)
                # Waiting for a GPU here, not in the worker, lets the worker send it the next batch.
                gathered[done.chosen] = done.embedding.cpu().numpy()
                yield Embedded(len(done.chosen), gathered if done.is_last else None)
                gathered = None if done.is_last else gathered

    def _tasks(self, windows: Iterator[Window]) -> Iterator[_Task]:
        for window in windows:
            batches = window.batches(self.batch_size)
            for number, chosen in enumerate(batches, start=1):
                yield _Task(window, chosen, number == len(batches))

    @torch.inference_mode()
    def _start(self, task: _Task) -> _Done:
        values = self._values(task.window.inputs(task.chosen, self.device))
        return _Done(values, task.chosen, task.is_last, len(task.window))

    def _values(self, inputs: Inputs) -> Tensor:
        """Float32 (b, width) on the model's device, where they may still be under way."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            embedding = self.model.embed(inputs)
        if self.dim < self.model.dim:
            embedding = prefix_embedding(embedding, self.dim)
        return embedding.float()
