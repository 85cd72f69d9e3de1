"""The losses of the last steps, left on the device: reading one waits for everything before it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from compress.errors import DivergedError
from compress.training.state import Progressed

CALMER = "lower --learning-rate, or --set precision=fp32"
READ_EVERY = {"cpu": 1, "cuda": 64}  # steps; on a CPU there is nothing to wait for


class PendingLosses:
    """Adds the losses to `Progressed`, in the order of the steps, so in the same float as one by one.

    `settle` comes before anything is kept: what follows from a loss that is not finite is never saved.

    Args:
        device: "cpu" or "cuda"; see READ_EVERY.
    """

    def __init__(self, device: str) -> None:
        self._every = READ_EVERY[device]
        self._waiting: list[tuple[Tensor, int, int]] = []

    def add(self, at: Progressed, loss: Tensor, videos: int) -> None:
        """The loss of step `at.step`, a scalar, mean over its videos; DivergedError as `settle`."""
        self._waiting.append((loss, videos, at.step))
        if len(self._waiting) >= self._every:
            self.settle(at)

    def settle(self, at: Progressed) -> None:
        """Read what waits into `at.loss_sum` and `at.videos`.

        Raises:
            DivergedError: one of them is not finite.
        """
        if not self._waiting:
            return
        values = torch.stack([loss for loss, _, _ in self._waiting]).tolist()
        for value, (_, videos, step) in zip(values, self._waiting, strict=True):
            refuse_divergence(value, step)
            at.loss_sum, at.videos = at.loss_sum + value * videos, at.videos + videos
        self._waiting.clear()


def refuse_divergence(loss: float, step: int) -> None:
    """DivergedError unless the loss of a step (from 1) is finite."""
    if not math.isfinite(loss):
        raise DivergedError(f"the loss is {loss} at step {step}", hint=CALMER)
