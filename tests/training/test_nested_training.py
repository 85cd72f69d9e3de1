"""Nested and quantised models train, stop and go on like others, and say how good each prefix is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compress.errors import Interrupted, UsageError
from compress.progress import Event, Note, clear_interrupt
from compress.training import TrainConfig, load_model, train
from compress.training.identity import differences
from compress.training.recipes import train_config
from compress.training.run import Run
from compress.training.scoring import accumulate, accumulate_prefixes
from tests.training.examples import LINEAR, LSTM, contents, interrupt_after, tables, video_table

RECIPES = [
    replace(LINEAR, nested_dims=(2, 4), quantize="binary"),
    replace(LSTM, nested_dims=(4,), quantize="int4"),
    replace(LINEAR, quantize="int8"),
]
NESTED = RECIPES[0]


def names(config: TrainConfig) -> str:
    return f"{config.encoder}-{config.quantize}"


@pytest.mark.parametrize("config", RECIPES, ids=names)
def test_a_training_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path, config: TrainConfig) -> None:
    train(config, *tables(config), tmp_path / "whole")
    for steps in (2, 3):
        with pytest.raises(Interrupted):
            train(config, *tables(config), tmp_path / "stopped", report=interrupt_after(steps))
        clear_interrupt()
    train(config, *tables(config), tmp_path / "stopped")
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


def test_the_log_has_the_figures_of_each_size_and_the_model_those_of_its_epoch(tmp_path: Path) -> None:
    said: list[str] = []

    def report(event: Event) -> None:
        said.extend([event.text] if isinstance(event, Note) else [])

    result = train(NESTED, *tables(NESTED), tmp_path / "run", report=report)
    lines = [json.loads(line) for line in Run(tmp_path / "run").log.read_text().splitlines()]
    model, facts = load_model(tmp_path / "run")
    found = accumulate_prefixes(model, tables(NESTED)[1], precision=NESTED.precision)
    figures = {str(dim): metrics.figures().to_json() for dim, metrics in found.items()}
    assert list(figures) == ["2", "4", "8"]
    assert lines[result.best_epoch - 1]["by_dim"] == facts["figures_by_dim"] == figures
    assert facts["figures"] == figures["8"] == dict(result.figures)
    assert any("first 2 dimensions: GAP" in text for text in said)


def test_the_epoch_that_is_kept_is_the_best_on_average_over_the_sizes(tmp_path: Path) -> None:
    config = replace(NESTED, epochs=5)
    result = train(config, *tables(config), tmp_path / "run")
    lines = [json.loads(line) for line in Run(tmp_path / "run").log.read_text().splitlines()]
    means = [np.mean([figures["gap"] for figures in line["by_dim"].values()]) for line in lines]
    assert result.best_epoch == 1 + int(np.argmax(means))


def test_without_nested_dims_a_log_is_what_it_was(tmp_path: Path) -> None:
    train(LINEAR, *tables(LINEAR), tmp_path / "run")
    assert all(
        "by_dim" not in json.loads(line) for line in Run(tmp_path / "run").log.read_text().splitlines()
    )
    assert "figures_by_dim" not in load_model(tmp_path / "run")[1]


def test_one_pass_over_all_sizes_scores_as_one_pass_each(tmp_path: Path) -> None:
    train(NESTED, *tables(NESTED), tmp_path / "run")
    model, _ = load_model(tmp_path / "run")
    table = video_table(30, seed=2)
    assert accumulate_prefixes(model, table)[8].figures() == accumulate(model, table).figures()


@pytest.mark.parametrize(
    ("setting", "telling"),
    [
        ({"nested_dims": 4}, "a list of different whole numbers, each at least 1, at most 2147483647, not 4"),
        ({"nested_dims": [4, 4]}, r"different whole numbers, .* not \(4, 4\)"),
        ({"nested_dims": [0]}, "at least 1"),
        ({"nested_dims": [2.5]}, "whole numbers"),
        ({"quantize": "int2"}, "one of none, int8, int4, binary"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused(setting: dict, telling: str) -> None:
    with pytest.raises(UsageError, match=telling):
        train_config("linear", 8, "best", setting)


@pytest.mark.parametrize("setting", [{"nested_dims": [4]}, {"quantize": "int8"}])
@pytest.mark.parametrize("encoder", ["pca", "random_projection", "identity"])
def test_what_is_computed_is_neither_nested_nor_quantised(encoder: str, setting: dict) -> None:
    with pytest.raises(UsageError, match="is a closed-form encoder, so it takes no"):
        train_config(encoder, 8, "best", setting)


def test_sizes_are_kept_in_order_and_a_run_of_an_earlier_version_is_the_same_recipe() -> None:
    assert train_config("linear", 8, "best", {"nested_dims": [4, 2]}).nested_dims == (2, 4)
    now = {"config": LINEAR.to_json(), "data": "", "validation": "", "device": "cpu"}
    recipe = {key: value for key, value in now["config"].items() if key not in ("nested_dims", "quantize")}
    assert differences({**now, "config": recipe}, now) == []
    nested = replace(LINEAR, nested_dims=(2, 4)).to_json()
    assert differences({**now, "config": nested}, {**now, "config": nested}) == []
    assert "nested_dims" in differences(now, {**now, "config": nested})[0]
