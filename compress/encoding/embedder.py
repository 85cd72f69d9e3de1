"""Windows of videos -> embeddings, by several threads, each in the precision that was asked for."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from compress.encoding.windows import BATCHES_A_WINDOW, Window
from compress.training.device.settings import device_settings
from compress.training.precision import Precision
from compress.workers import in_order
from encoders import Model, prefix_embedding


class Embedded(NamedTuple):
    """A batch that was computed.

    Args:
        videos: how many.
        window: float32 (n, dim), the whole window in its own order, when this was its last batch.
    """

    videos: int
    window: np.ndarray | None


class _Task(NamedTuple):
    window: Window
    chosen: np.ndarray
    is_last: bool


class _Done(NamedTuple):
    """Of a task; without its window, whose memory is free for the next."""

    embedding: Tensor
    chosen: np.ndarray
    is_last: bool
    window_size: int


class Embedder:
    """A model, how it computes, and in how many threads.

    Args:
        model: in evaluation mode, on its device.
        precision: "bf16" (autocast) or "fp32".
        batch_size: videos at once; an embedding may depend on it, within rounding.
        workers: as `in_order` takes them; no embedding depends on it.
        dim: numbers a video: those of the model's embedding, or fewer for a prefix of it; None for all.
    """

    def __init__(
        self, model: Model, precision: Precision, batch_size: int, workers: int, dim: int | None = None
    ) -> None:
        self.model, self.dim = model, dim or model.dim
        self.precision, self.batch_size, self.workers = precision, batch_size, workers
        self.device = next(iter(model.buffers())).device

    @property
    def window_size(self) -> int:
        """Videos of a window."""
        return self.batch_size * BATCHES_A_WINDOW[self.model.encoder.level]

    def embed(self, windows: Iterator[Window]) -> Generator[Embedded, None, None]:
        """One `Embedded` a batch, in order; a generator, to be closed where it is not used up."""
        with (
            device_settings(self.device.type, self.precision),
            closing(in_order(self._start, self._tasks(windows), self.workers)) as batches,
        ):
            gathered: np.ndarray | None = None
            for done in batches:
                if gathered is None:
                    gathered = np.empty((done.window_size, self.dim), dtype=np.float32)
                # Here, not in the worker: while this waits for a GPU, the worker may send it the next batch.
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
        """The embedding is float32 (b, dim) on the model's device, where it may still be under way."""
        inputs = task.window.inputs(task.chosen, self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            embedding = self.model.embed(inputs)
        if self.dim < self.model.dim:
            embedding = prefix_embedding(embedding, self.dim)
        return _Done(embedding.float(), task.chosen, task.is_last, len(task.window))
