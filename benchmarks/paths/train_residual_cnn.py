"""One training step of ResidualCNN-320 with its MoE head: forward, backward, optimiser."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import torch
from torch import Tensor

from benchmarks.data import video_table
from benchmarks.paths.agreement import close
from benchmarks.paths.flops import forward_flops
from benchmarks.rivals import naive_moe
from benchmarks.rivals.plain_residual_cnn import PlainModel, with_weights_of
from benchmarks.row import Contest, Row, Settings, Work, at_least
from compress.datasets import Position, VideoTable
from compress.datasets.batches import Step
from compress.training.config import TrainConfig
from compress.training.feed import batches
from compress.training.new_model import new_model
from compress.training.objective import compiled, loss_function
from compress.training.optimizer import WeightAverage, build_optimizer
from compress.training.precision import Precision, device_settings
from compress.training.state import TrainState, step
from encoders import MoE, ResidualCNN

DIM = 320


def exact(settings: Settings) -> Contest:
    """fp32 on both sides."""
    return contest(settings, "fp32", 1e-3)


def half(settings: Settings) -> Contest:
    """bf16 (weights and optimiser fp32) against fp32."""
    return contest(settings, "bf16", 3e-2)


def contest(settings: Settings, precision: Precision, error: float) -> Contest:
    """One batch of a table, again and again."""
    batch = settings.size(8, 32)
    table = video_table(settings, 4 * batch)
    ours = OurSteps(table, precision, batch, "cpu")
    rival = PlainSteps(ours.rival(), table, batch, "cpu")
    one = 3 * forward_flops(copy.deepcopy(rival.model).eval(), torch.from_numpy(table.features[:1].copy()))
    # Of the first step alone: after it, the weights are no longer the same.
    checked = close("losses of the first step", ours(), rival(), error)
    formula = f"{batch} videos x 3 x {one / 3e9:.2f} GFLOP by the definition"
    return Contest(ours, rival, batch, checked, Work(batch * one, f"{precision} arithmetic", formula))


class OurSteps:
    """The steps of `compress train`, one a call, without its running average.

    Args:
        table: the videos.
        precision: of the recipe.
        batch: videos a step.
        device: "cpu" or "cuda".
        compile: as `compress train --compile`.
    """

    def __init__(
        self,
        table: VideoTable,
        precision: Precision,
        batch: int,
        device: str,
        compile: bool = False,
    ) -> None:
        self._config = TrainConfig(
            "residual_cnn",
            {"dim": DIM, "fc_weight_penalty": 0.0},
            head_options={"weight_penalty": 0.0},
            input_norm="l2",
            class_priors=False,
            batch_size=batch,
            precision=precision,
        )
        self._settings = ExitStack()  # held as long as this trains
        self._settings.enter_context(device_settings(device, precision, same_shapes=True))
        torch.manual_seed(0)
        self.model = new_model(self._config, table).to(device).train()
        optimizer = build_optimizer(self.model, self._config)
        self._state = TrainState(self.model, WeightAverage(self.model, 0.0), optimizer)
        self._loss = loss_function(self._config, self.model, device)
        if compile:
            self._loss = compiled(self._loss, device)
        self._feed = batches(table, in_order(len(table), batch), torch.device(device))

    def __call__(self) -> Tensor:
        batch = next(self._feed)
        return step(self._config, self._state, batch.inputs, batch.labels, self._loss).cpu()

    def rival(self) -> PlainModel:
        """A plain model with the same weights."""
        encoder, head = self.model.encoder, self.model.head
        assert isinstance(encoder, ResidualCNN)
        assert isinstance(head, MoE)
        return PlainModel(with_weights_of(encoder), naive_moe.with_weights_of(head)).train()


def in_order(videos: int, batch: int) -> Iterator[Step]:
    """Whole batches, one after another, without end."""
    while True:
        for number in range(videos // batch):
            yield Position(0, number + 1), np.arange(number * batch, (number + 1) * batch)


class PlainSteps:
    """A tutorial's steps, one a call: autograd, and Adam parameter by parameter."""

    def __init__(self, model: PlainModel, table: VideoTable, batch: int, device: str) -> None:
        self.model, self._table, self._device = model.to(device), table, device
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(trained, lr=1e-3, foreach=False)
        self._order = in_order(len(table), batch)

    def __call__(self) -> Tensor:
        _, rows = next(self._order)
        features, labels = (torch.from_numpy(array).to(self._device) for array in self._table.batch(rows))
        loss = naive_moe.cross_entropy(self.model(features), labels.float())
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return loss.detach().cpu()


_NAMES = ("ResidualCNN-320 and MoE", "plain Conv1d, naive MoE, Adam in a loop, fp32")
ROWS = (
    Row(
        "train-fp32", "Train", f"{_NAMES[0]}, fp32", _NAMES[1], "videos", exact, at_least(1.5), long_run=True
    ),
    Row("train-bf16", "Train", f"{_NAMES[0]}, bf16", _NAMES[1], "videos", half, at_least(2.5), long_run=True),
)
