"""Recipes for 500 videos and for 5 million: what follows the number of videos, and what stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compress.artifacts.atomic import read_json
from compress.jobs.commands import train_argv
from compress.training import train_config
from compress.training.set_aside import count_set_aside


@pytest.mark.parametrize(
    ("videos", "batch_size", "steps", "epochs", "warmup_steps", "ema", "norm_momentum"),
    [
        (500, 32, 88, 60, 54, 0.990566, 0.0125),
        (5_000, 256, 88, 60, 54, 0.990566, 0.1),
        (23_091, 256, 82, 60, 50, 0.99, 0.1),
        (5_000_000, 256, 19_512, 11, 1000, 0.9995, 0.1),
    ],
)
def test_the_recipe_of_linear_for_so_many_videos(
    videos: int,
    batch_size: int,
    steps: int,
    epochs: int,
    warmup_steps: int,
    ema: float,
    norm_momentum: float,
) -> None:
    config = train_config("linear", 320, videos=videos)
    found = (config.batch_size, config.epochs, config.warmup_steps, config.ema)
    assert found == (batch_size, epochs, warmup_steps, ema)
    assert config.encoder_options.get("norm_momentum", 0.1) == norm_momentum
    trained = videos - count_set_aside(videos, config.set_aside)
    once = -(-trained // config.batch_size)
    visits = max(1, -(-config.least_steps // once)) if once < config.least_steps else 1
    assert abs(visits * trained / config.batch_size - steps) < 1


@pytest.mark.parametrize("encoder", ["mlp", "residual_cnn", "nextvlad", "lstm"])
def test_what_was_tuned_on_23_091_videos_holds_there(encoder: str) -> None:
    tuned, found = train_config(encoder, 64), train_config(encoder, 64, videos=23_091)
    assert found.encoder_options == tuned.encoder_options
    assert found.to_json() | {"least_steps": 0, "warmup_steps": 50, "ema": 0.99} == tuned.to_json()


def test_what_is_set_by_hand_stays() -> None:
    chosen = {"batch_size": 300, "epochs": 2, "ema": 0.5, "warmup_steps": 7, "norm_momentum": 0.3}
    config = train_config("linear", 8, overrides={**chosen, "least_steps": 3}, videos=100)
    assert {name: getattr(config, name, None) for name in chosen if name != "norm_momentum"} == {
        name: value for name, value in chosen.items() if name != "norm_momentum"
    }
    assert config.encoder_options["norm_momentum"] == 0.3
    assert config.least_steps == 3
    cnn = train_config("residual_cnn", 8, overrides={"epochs": 2}, videos=100)
    assert (cnn.epochs, cnn.warm_epochs) == (2, 1)


def test_of_so_few_videos_that_none_is_spared_the_last_of_few_epochs_is_kept() -> None:
    config = train_config("residual_cnn", 8, videos=15)
    assert (config.keep, config.patience, config.epochs, config.warm_epochs) == ("last", 0, 10, 9)
    chosen = train_config("linear", 8, overrides={"set_aside": 0.0}, videos=15)
    assert (chosen.keep, chosen.patience, chosen.epochs) == ("best", 3, 60)


def test_the_papers_recipes_do_not_follow_the_videos() -> None:
    for encoder in ("linear", "residual_cnn", "lstm"):
        assert train_config(encoder, 8, "paper", videos=100) == train_config(encoder, 8, "paper")


@pytest.mark.parametrize("videos", [200, 9000])
@pytest.mark.parametrize(
    "chosen", [{}, {"epochs": 3}, {"batch_size": 64}, {"schedule": "cosine", "epochs": 4, "set_aside": 0.0}]
)
def test_the_command_of_a_run_names_what_was_chosen_and_not_what_follows_from_the_videos(
    tmp_path: Path, videos: int, chosen: dict
) -> None:
    recipe = train_config("residual_cnn", 24, overrides=chosen, videos=videos).to_json()
    (tmp_path / "config.json").write_text(json.dumps({"config": recipe, "train_videos": videos}))
    words = train_argv("residual_cnn-24", read_json(tmp_path / "config.json"))
    assert len(words) == 4 + 2 * len(chosen), words
