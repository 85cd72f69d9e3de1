"""One training step of ResidualCNN-320 with its MoE head: forward, backward, optimiser."""

from __future__ import annotations

import copy
from typing import Literal

import numpy as np
import torch

from benchmarks.data import video_table
from benchmarks.paths.agreement import close
from benchmarks.paths.flops import forward_flops
from benchmarks.rivals import naive_moe
from benchmarks.rivals.plain_residual_cnn import PlainModel, with_weights_of
from benchmarks.row import Contest, Row, Settings, Work, at_least
from compress.datasets import VideoTable
from compress.training.averaging import WeightAverage
from compress.training.config import TrainConfig
from compress.training.optimizer import build_optimizer
from compress.training.state import TrainState
from compress.training.step import new_model, step
from encoders import MoE, ResidualCNN

DIM = 320


def exact(settings: Settings) -> Contest:
    """fp32 on both sides."""
    return contest(settings, "fp32", 1e-3)


def half(settings: Settings) -> Contest:
    """bf16 (weights and optimiser fp32) against fp32."""
    return contest(settings, "bf16", 3e-2)


def contest(settings: Settings, precision: Literal["fp32", "bf16"], error: float) -> Contest:
    """One batch of a table, again and again."""
    batch = settings.size(8, 32)
    table = video_table(settings, 4 * batch)
    config = TrainConfig(
        "residual_cnn",
        {"dim": DIM, "fc_weight_penalty": 0.0},
        head_options={"weight_penalty": 0.0},
        input_norm="l2",
        class_priors=False,
        precision=precision,
    )
    torch.manual_seed(0)
    model, rows = new_model(config, table), np.arange(batch)
    assert isinstance(model.encoder, ResidualCNN)
    assert isinstance(model.head, MoE)
    rival = PlainModel(with_weights_of(model.encoder), naive_moe.with_weights_of(model.head)).train()
    state = TrainState(model.train(), WeightAverage(model, 0.0), build_optimizer(model, config))
    plain = _PlainStep(rival, table, rows)
    # Of the first step alone: after it, the weights are no longer the same.
    losses = step(config, state, table, rows, "cpu"), plain()
    one = 3 * forward_flops(copy.deepcopy(rival).eval(), torch.from_numpy(table.features[:1].copy()))
    return Contest(
        ours=lambda: step(config, state, table, rows, "cpu"),
        rival=plain,
        units=batch,
        checked=close("losses of the first step", losses[0], losses[1], error),
        work=Work(
            batch * one,
            f"{precision} arithmetic",
            f"{batch} videos x 3 x {one / 3e9:.2f} GFLOP by the definition",
        ),
    )


class _PlainStep:
    """A tutorial's step: autograd, and Adam parameter by parameter."""

    def __init__(self, model: PlainModel, table: VideoTable, rows: np.ndarray) -> None:
        self._model, self._table, self._rows = model, table, rows
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(trained, lr=1e-3, foreach=False)

    def __call__(self) -> float:
        features, labels = (torch.from_numpy(array) for array in self._table.batch(self._rows))
        loss = naive_moe.cross_entropy(self._model(features), labels.float())
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        return float(loss.detach())


_NAMES = ("ResidualCNN-320 and MoE", "plain Conv1d, naive MoE, Adam in a loop, fp32")
ROWS = (
    Row("train-fp32", "Train", f"{_NAMES[0]}, fp32", _NAMES[1], "videos", exact, at_least(1.5)),
    Row("train-bf16", "Train", f"{_NAMES[0]}, bf16", _NAMES[1], "videos", half, at_least(2.5)),
)
