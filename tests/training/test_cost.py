"""What a person is told about how long a training takes: measured before it, and early on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from compress.errors import SchemaError
from compress.progress import Event, Note
from compress.training import TrainConfig, cost
from compress.training.cost import Cost, Stopwatch, describe, duration, measure_cost
from compress.training.recipes import train_config
from encoders import InputNormConfig, ModelConfig, build_model
from tests.training.examples import CLASSES, DIM, LINEAR, frame_table, video_table


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [(0, "0 s"), (59, "59 s"), (60, "1.0 min"), (3599, "60.0 min"), (3600, "1.0 h"), (90_000, "25.0 h")],
)
def test_durations_for_a_person(seconds: float, wanted: str) -> None:
    assert duration(seconds) == wanted


def test_a_training_is_described_before_it_starts() -> None:
    options = {"dim": 8, "input_dim": DIM}
    model = build_model(ModelConfig("linear", CLASSES, options, "moe", {}, InputNormConfig(DIM)))
    text = describe(LINEAR, model, 1234, 78)
    assert "3 epochs of 78 steps over 1,234 videos" in text
    assert "1 epoch of 1 step over 12 videos" in describe(replace(LINEAR, epochs=1), model, 12, 1)
    assert text.startswith("linear: 0.00 M parameters, moe head 0.00 M;")


def test_the_heads_of_prefixes_are_told_with_the_others() -> None:
    options = {"dim": 200, "input_dim": DIM}
    norm = InputNormConfig(DIM)
    model = build_model(ModelConfig("linear", 50, options, "moe", {}, norm, nested_dims=(100,)))
    assert "moe heads 0.08 M;" in describe(LINEAR, model, 12, 1)  # 5 planes of 50 classes of 100 + 200


def test_the_rest_is_estimated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Event] = []
    now = 0.0
    monkeypatch.setattr(cost.time, "monotonic", lambda: now)
    warm_up = Stopwatch(100, said.append, "the warm-up", videos=16)
    rest = Stopwatch(300, said.append, videos=16)
    for step in range(1, 301):
        now += 1.0 if step <= 100 else 2.0  # the branch costs
        (warm_up if step < 100 else rest).tick(step)
    assert said == [
        Note("the warm-up takes about 1.6 min (16 videos/s)", passing=True),
        Note("the rest takes about 6.6 min (8 videos/s)", passing=True),
    ]


IDENTITY = TrainConfig("identity", batch_size=16, epochs=3, precision="fp32")


CNN = {"width": 0.05, "precision": "fp32", "batch_size": 16, "epochs": 5, "warm_epochs": 3}


class Clock:
    """Time that passes by a step's work alone: `price` seconds a video or frame, by whether it is warm."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, price: float, warm_price: float | None = None
    ) -> None:
        self.now, self.rows = 0.0, []
        self.price, self.warm = price, price if warm_price is None else warm_price
        self.per_step = 0.0
        monkeypatch.setattr("compress.training.cost.step", self.step)

    def step(self, config: Any, state: Any, inputs: Any, labels: torch.Tensor, loss_of: Any) -> torch.Tensor:
        self.rows.append(len(labels))
        units = int(inputs[1].sum()) if isinstance(inputs, tuple) else len(labels)
        self.now += self.per_step + units * (
            self.warm if getattr(state.model.encoder, "warm", False) else self.price
        )
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
    assert clock.rows[2:] == sorted(clock.rows[2:])
    assert clock.rows[-1] == rows
    assert cost.epoch == pytest.approx(320 * price)


def test_what_a_step_costs_whatever_its_size_is_not_counted_for_each_video(monkeypatch) -> None:
    clock = Clock(monkeypatch, 0.001)
    clock.per_step = 0.1
    config = replace(IDENTITY, batch_size=160)
    cost = measure_cost(config, video_table(320), video_table(12, seed=1), clock=clock, budget=0.5)
    assert cost.epoch == pytest.approx(2 * (0.1 + 0.16))


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
