"""What a person is told about how long it will take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compress.progress import Event, Note
from compress.training import estimate
from compress.training.estimate import Stopwatch, describe, duration
from encoders import InputNormConfig, ModelConfig, build_model
from tests.training.examples import CLASSES, DIM, LINEAR


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
    monkeypatch.setattr(estimate.time, "monotonic", lambda: now)
    warm_up, rest = Stopwatch(100, said.append, "the warm-up", videos=16), Stopwatch(300, said.append)
    for step in range(1, 301):
        now += 1.0 if step <= 100 else 2.0  # the branch costs
        (warm_up if step < 100 else rest).tick(step)
    assert said == [
        Note("the warm-up takes about 1.6 min (16 videos/s)"),
        Note("the rest takes about 6.6 min (0 videos/s)"),
    ]
