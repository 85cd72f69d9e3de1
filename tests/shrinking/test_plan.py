"""What `compress shrink` may be told."""

from __future__ import annotations

from typing import Any

import pytest

from compress.errors import DataError, UsageError
from compress.shrinking import ShrinkPlan
from compress.shrinking.plan import tuning_config
from tests.training.examples import LINEAR, RESIDUAL_CNN


@pytest.mark.parametrize(
    ("options", "suffix"),
    [
        ({}, "w8"),
        ({"weights": "float16"}, "w16"),
        ({"prune": 0.8, "epochs": 2}, "w8-p80"),
        ({"weights": "float32", "prune": 0.975}, "p97.5"),
        ({"weights": "float16", "prune": 0.5}, "w16-p50"),
    ],
)
def test_a_plan_names_what_it_makes(options: dict[str, Any], suffix: str) -> None:
    assert ShrinkPlan(**options).suffix == suffix


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "int4"}, "--weights: 'int4' is none of"),
        ({"scope": "column"}, "--scope"),
        ({"prune": 1.0}, "--prune: must be at least 0 and below 1"),
        ({"prune": -0.1}, "--prune"),
        ({"prune": float("nan")}, "--prune"),
        ({"prune": 0.5, "epochs": -1}, "--epochs"),
        ({"epochs": 2}, "trains during pruning, and nothing is pruned; give --prune too"),
        ({"prune": 0.5, "learning_rate": 0.1}, "nothing is trained"),
        ({"prune": 0.5, "epochs": 1, "learning_rate": 0.0}, "--learning-rate"),
        ({"weights": "float32"}, "nothing to do"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        ShrinkPlan(**options)
    assert message in str(caught.value)


def test_the_epochs_go_on_from_the_runs_own_recipe() -> None:
    plan = ShrinkPlan(prune=0.8, epochs=2)
    config = tuning_config(RESIDUAL_CNN.to_json(), plan)
    same = (
        "encoder",
        "encoder_options",
        "head",
        "batch_size",
        "weight_decay",
        "input_dropout",
        "ema",
        "seed",
    )
    assert all(getattr(config, name) == getattr(RESIDUAL_CNN, name) for name in same)
    assert (config.epochs, config.warm_epochs, config.keep, config.patience) == (2, 0, "last", 0)
    assert config.learning_rate == RESIDUAL_CNN.learning_rate


def test_a_learning_rate_moves_that_of_the_branch_too() -> None:
    recipe = {**RESIDUAL_CNN.to_json(), "learning_rate": 2e-3, "branch_learning_rate": 5e-4}
    config = tuning_config(recipe, ShrinkPlan(prune=0.8, epochs=2, learning_rate=1e-3))
    assert (config.learning_rate, config.branch_learning_rate) == pytest.approx((1e-3, 2.5e-4))


def test_teachers_and_eigenvalues_need_not_be_there_again() -> None:
    recipe = {**LINEAR.to_json(), "teachers": ["large"], "undo_whitening": "gone.npy"}
    config = tuning_config(recipe, ShrinkPlan(prune=0.8, epochs=1))
    assert (config.teachers, config.undo_whitening) == ((), "")


def test_a_computed_encoder_is_not_trained_longer() -> None:
    recipe = {**LINEAR.to_json(), "encoder": "pca", "encoder_options": {"dim": 8}, "head": None}
    with pytest.raises(UsageError, match="cannot be trained; with --epochs 0"):
        tuning_config(recipe, ShrinkPlan(prune=0.8, epochs=1))


def test_a_recipe_of_a_newer_version_is_refused() -> None:
    with pytest.raises(DataError, match="does not know: magic; upgrade compress"):
        tuning_config({**LINEAR.to_json(), "magic": 1}, ShrinkPlan(prune=0.8, epochs=1))
