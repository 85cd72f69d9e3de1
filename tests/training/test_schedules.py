"""Learning rates by step: golden numbers, no jumps, nothing for a branch that is off."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from compress.training import TrainConfig
from compress.training.optimizer import FINAL_SHARE, branch_factor, cosine, main_factor, staircase

STEPS = 100
COSINE = TrainConfig("linear", epochs=6, warmup_steps=10)
TWO_ARCS = TrainConfig("residual_cnn", epochs=6, warm_epochs=2, warmup_steps=10, second_peak=0.3)
STAIRCASE = TrainConfig(
    "linear", epochs=6, schedule="staircase", decay=0.5, batch_size=10, decay_examples=1000
)


@pytest.mark.parametrize(
    ("step", "steps", "warmup", "wanted"),
    [
        (0, 100, 0, 1.0),
        (25, 100, 0, 0.01 + 0.99 * (0.5 + math.sqrt(2) / 4)),
        (50, 100, 0, 0.505),
        (75, 100, 0, 0.01 + 0.99 * (0.5 - math.sqrt(2) / 4)),
        (100, 100, 0, 0.01),
        (250, 100, 0, 0.01),
        (0, 100, 10, 0.1),
        (4, 10**9, 10, 0.5),
        (9, 10**9, 10, 1.0),
        (0, 0, 0, 1.0),
    ],
)
def test_a_cosine_arc_has_these_values(step: int, steps: int, warmup: int, wanted: float) -> None:
    assert cosine(step, steps, warmup) == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("examples", "wanted"),
    [(0, 1.0), (3_999_999, 1.0), (4_000_000, 0.95), (7_999_999, 0.95), (8_000_000, 0.9025)],
)
def test_the_papers_rate_falls_by_stairs(examples: int, wanted: float) -> None:
    assert staircase(examples, 0.95, 4_000_000) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("step", "wanted"), [(0, 1.0), (99, 1.0), (100, 0.5), (199, 0.5), (200, 0.25), (599, 1 / 32)]
)
def test_stairs_count_videos_not_steps(step: int, wanted: float) -> None:
    assert main_factor(STAIRCASE, step, STEPS) == branch_factor(STAIRCASE, step, STEPS) == wanted


@pytest.mark.parametrize(
    ("step", "main", "branch"),
    [
        (0, 0.1, 0.0),
        (100, 0.505, 0.0),
        (199, cosine(199, 200, 0), 0.0),
        (200, 0.3 * 0.1, 0.1),
        (209, 0.3 * cosine(9, 400, 0), cosine(9, 400, 0)),
        (400, 0.3 * 0.505, 0.505),
        (599, 0.3 * cosine(399, 400, 0), cosine(399, 400, 0)),
    ],
)
def test_warm_epochs_have_an_arc_of_their_own(step: int, main: float, branch: float) -> None:
    assert main_factor(TWO_ARCS, step, STEPS) == pytest.approx(main, abs=1e-12)
    assert branch_factor(TWO_ARCS, step, STEPS) == pytest.approx(branch, abs=1e-12)


@pytest.mark.parametrize("config", [COSINE, TWO_ARCS, replace(TWO_ARCS, warmup_steps=0)])
def test_rates_never_jump_up_but_where_the_branch_is_switched_on(config: TrainConfig) -> None:
    switch = config.warm_epochs * STEPS
    for factor, peak in ((main_factor, 1.0), (branch_factor, 1.0)):
        values = [factor(config, step, STEPS) for step in range(6 * STEPS)]
        assert all(0 <= value <= peak for value in values)
        steepest = max(1 / max(config.warmup_steps, 1) if config.warmup_steps else 0, math.pi / 2 / 200)
        for step in range(1, len(values)):
            if step != switch:
                assert abs(values[step] - values[step - 1]) <= steepest + 1e-12, step


def test_without_warm_epochs_the_branch_follows_the_rest() -> None:
    for step in range(0, 600, 37):
        assert branch_factor(COSINE, step, STEPS) == main_factor(COSINE, step, STEPS)


def test_the_last_step_is_almost_at_the_final_share() -> None:
    assert main_factor(COSINE, 599, STEPS) == pytest.approx(FINAL_SHARE, abs=1e-4)
