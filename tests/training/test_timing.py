"""What a training will cost: the arithmetic, with a clock that counts videos."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from compress.errors import SchemaError
from compress.training import TrainConfig
from compress.training.recipes import train_config
from compress.training.timing import Cost, measure_cost
from tests.training.examples import frame_table, video_table

IDENTITY = TrainConfig("identity", batch_size=16, epochs=3, precision="fp32")
CNN = {"width": 0.05, "precision": "fp32", "batch_size": 16, "epochs": 5, "warm_epochs": 3}


class Clock:
    """Time that passes by a step's work alone: `price` seconds a video or frame, by whether it is warm."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, price: float, warm_price: float | None = None
    ) -> None:
        self.now, self.rows = 0.0, []
        self.price, self.warm = price, price if warm_price is None else warm_price
        monkeypatch.setattr("compress.training.timing.step", self.step)

    def step(self, config: Any, state: Any, inputs: Any, labels: torch.Tensor, loss_of: Any) -> torch.Tensor:
        self.rows.append(len(labels))
        units = int(inputs[1].sum()) if isinstance(inputs, tuple) else len(labels)
        self.now += units * (self.warm if getattr(state.model.encoder, "warm", False) else self.price)
        return torch.tensor(1.0)

    def __call__(self) -> float:
        return self.now


def test_an_epoch_costs_its_videos_and_a_third_of_that_each_of_validation(monkeypatch) -> None:
    clock = Clock(monkeypatch, 0.01)
    cost = measure_cost(IDENTITY, video_table(40), video_table(12, seed=1), clock=clock)
    assert (cost.epoch, cost.warm_epoch) == (pytest.approx(0.4), 0)
    assert cost.validation == pytest.approx(0.12 / 3)
    assert cost.seconds() == pytest.approx(3 * (0.4 + 0.04))
    assert cost.seconds(done=2) == pytest.approx(0.44)
    assert cost.seconds(done=9) == 0


def test_frames_are_counted_where_there_are_frames(monkeypatch) -> None:
    config = train_config("lstm", 8, "best", {"precision": "fp32", "batch_size": 8, "epochs": 1})
    table = frame_table(24)
    cost = measure_cost(config, table, frame_table(8, seed=1), clock=Clock(monkeypatch, 0.01))
    assert cost.epoch == pytest.approx(0.01 * table.num_frames.sum())


def test_warm_epochs_have_a_price_of_their_own(monkeypatch) -> None:
    config = train_config("residual_cnn", 8, "best", CNN)
    clock = Clock(monkeypatch, 0.1, warm_price=0.01)
    cost = measure_cost(config, video_table(40), video_table(12, seed=1), clock=clock)
    assert (cost.warm_epoch, cost.epoch) == (pytest.approx(0.4), pytest.approx(4.0))
    assert cost.seconds() == pytest.approx(3 * 0.4 + 2 * 4.0 + 5 * cost.validation)
    assert cost.seconds(done=4) == pytest.approx(4.0 + cost.validation)


@pytest.mark.parametrize(("price", "rows"), [(1e-6, 160), (1.0, 10)])
def test_where_a_batch_takes_too_long_part_of_it_is_timed(monkeypatch, price: float, rows: int) -> None:
    clock = Clock(monkeypatch, price)
    config = replace(IDENTITY, batch_size=160)
    cost = measure_cost(config, video_table(320), video_table(12, seed=1), clock=clock, budget=1e-3)
    assert clock.rows[:2] == [10, 10]
    assert set(clock.rows[2:]) == {rows}
    assert cost.epoch == pytest.approx(320 * price)


def test_real_steps_are_timed_and_parameters_counted() -> None:
    cost = measure_cost(IDENTITY, video_table(40), video_table(12, seed=1), budget=0.01)
    head = 5 * 12 * 16 + 2 * 12
    assert cost.epoch > 0
    assert (cost.parameters, cost.weights_bytes) == (head, 16 * head)


def test_what_cannot_be_trained_cannot_be_timed() -> None:
    with pytest.raises(SchemaError, match="video-level"):
        measure_cost(train_config("lstm", 8), video_table(40), video_table(12, seed=1))


def test_a_finished_training_costs_nothing() -> None:
    assert Cost(1.0, 2.0, 0.5, 4, 2, 10).seconds(4) == 0
