"""The commands that reports print train again just what was trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.train import train
from compress.artifacts.atomic import write_json
from compress.jobs.commands import train_words
from compress.jobs.names import run_name
from compress.jobs.table_tasks import TablesRequest, row_training
from compress.jobs.train import TrainRequest, overrides
from compress.reports import catalogue
from compress.training.config import TrainConfig
from compress.training.presets import default_encoder, train_config

REQUEST = TablesRequest(("2", "3", "qrnn"), (), None, "fail", 3, 1, "cpu")


def config_of(request: TrainRequest) -> TrainConfig:
    encoder = request.encoder or default_encoder(request.dim)
    return train_config(encoder, request.dim, request.preset, overrides(request))


@pytest.mark.parametrize("row", catalogue().rows, ids=lambda row: row.run)
def test_the_command_of_a_run_is_its_recipe(tmp_path: Path, row: Any):
    request = row_training(row, None, REQUEST)
    config = config_of(request)
    write_json(tmp_path / "config.json", {"config": config.to_json()})
    words = train_words(row.run, tmp_path / "config.json")

    typed = train.make_context("train", words[2:]).params
    assert run_name(typed["encoder"] or default_encoder(typed["dim"]), typed["dim"], typed["name"]) == row.run
    said = ("encoder", "dim", "epochs", "batch_size", "learning_rate", "settings")
    again = replace(request, seed=0, **{name: typed[name] for name in said})
    seed = int(words[words.index("--seed") + 1])
    assert config_of(replace(again, seed=seed)).to_json() == config.to_json()
