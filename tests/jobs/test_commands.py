"""The commands that reports print train again just what was trained."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from cli.train import train
from compress.artifacts.atomic import read_json, write_json
from compress.jobs.commands import store_commands, train_argv
from compress.jobs.names import run_name
from compress.jobs.settings import recipe_changes
from compress.papers import CatalogueRow, catalogue, row_settings
from compress.training.config import TrainConfig
from compress.training.recipes import CLOSED_FORM, PRESETS, default_encoder, train_config
from compress.workspace import Workspace
from encoders import list_encoders
from tests.encoders.examples import OPTIONS
from tests.store.examples import DIM, write_store

Recipe = dict[str, Any]
"""Keyword arguments of `train_run`."""


def recipe_of(row: CatalogueRow) -> Recipe:
    recipe = {"dim": row.dim, "encoder": row.encoder, "preset": row.preset, "epochs": row.epochs}
    return recipe | {"settings": row_settings(row), "name": row.run, "seed": 3}


def config_of(recipe: Recipe) -> TrainConfig:
    encoder = recipe["encoder"] or default_encoder(recipe["dim"])
    elsewhere = ("encoder", "dim", "preset", "settings", "seed", "name", "unlabelled", "nested", "teachers")
    named = {key: value for key, value in recipe.items() if key not in elsewhere}
    named |= {"nested_dims": recipe.get("nested"), "teachers": recipe.get("teachers") or None}
    changes = recipe_changes(recipe["settings"], recipe["seed"], named)
    return train_config(encoder, recipe["dim"], recipe["preset"], changes)


def typed_recipe(words: list[str]) -> Recipe:
    """What `compress train ...` asks for."""
    typed = train.make_context("train", words[2:]).params
    assert typed["encoder"] or typed["dim"]
    said = ("encoder", "dim", "preset", "epochs", "batch_size", "learning_rate", "settings", "name", "seed")
    said += ("nested", "quantize", "teachers", "distill_weight", "temperature", "unlabelled")
    return {name: typed[name] for name in said}


@pytest.mark.parametrize("row", catalogue().rows, ids=lambda row: row.run)
def test_the_command_of_a_run_is_its_recipe(tmp_path: Path, row: Any):
    config = config_of(recipe_of(row))
    write_json(tmp_path / "config.json", {"config": config.to_json()})

    again = typed_recipe(train_argv(row.run, read_json(tmp_path / "config.json")))
    assert run_name(again["encoder"] or default_encoder(again["dim"]), again["dim"], again["name"]) == row.run
    assert again["seed"] == 3
    assert config_of(again).to_json() == config.to_json()


def test_nested_sizes_and_codec_have_options_of_their_own(tmp_path: Path):
    recipe = recipe_of(catalogue().rows[0]) | {"nested": (32, 64), "quantize": "int4"}
    write_json(tmp_path / "config.json", {"config": config_of(recipe).to_json()})
    words = train_argv("own", read_json(tmp_path / "config.json"))
    assert words[words.index("--nested") + 1] == "32,64"
    assert words[words.index("--quantize") + 1] == "int4"
    again = typed_recipe(words)
    assert (again["nested"], again["quantize"]) == ((32, 64), "int4")


def test_so_have_teachers_and_what_they_weigh(tmp_path: Path):
    changes = {"teachers": ("one", "two"), "distill_weight": 0.25, "temperature": 2.0}
    recipe = recipe_of(catalogue().rows[0]) | changes
    identity = {"config": config_of(recipe).to_json(), "unlabelled_shards": ["a/b/c/more*.tfrecord"]}
    write_json(tmp_path / "config.json", identity)
    again = typed_recipe(train_argv("own", read_json(tmp_path / "config.json")))
    assert {name: again[name] for name in changes} == changes
    assert again["unlabelled"] == ("b/c/more*.tfrecord",)


@pytest.mark.parametrize("settings", [(), ("dim=0",), ("dim=10",), ("head=moe", "seed=3")])
@pytest.mark.parametrize("dim", [None, 640])
@pytest.mark.parametrize("encoder", sorted({*list_encoders(), *CLOSED_FORM}))
def test_so_it_is_for_every_encoder_with_a_dim_and_without(tmp_path: Path, encoder: str, dim, settings):
    if encoder in CLOSED_FORM and encoder != "identity" and "head=moe" in settings:
        return
    small = [f"{key}={json.dumps(value)}" for key, value in OPTIONS.get(encoder, {}).items()]
    for preset in PRESETS:
        changes = {"encoder": encoder, "dim": dim, "preset": preset, "settings": (*small, *settings)}
        config = config_of(recipe_of(catalogue().rows[0]) | changes)
        write_json(tmp_path / "config.json", {"config": config.to_json()})
        again = typed_recipe(train_argv("own", read_json(tmp_path / "config.json")))
        assert config_of(again).to_json() == config.to_json()
        assert again["name"] == "own"


@pytest.mark.parametrize(("nested", "expected"), [([DIM], False), ([2], True), (None, True)])
def test_the_command_of_a_prefix_asks_for_it_also_where_it_was_not_trained(tmp_path: Path, nested, expected):
    workspace = Workspace(tmp_path)
    config = train_config("linear", 2 * DIM).to_json()
    del config["nested_dims"]  # as in a run of an earlier version
    write_json(
        tmp_path / "runs" / "r" / "config.json",
        {"config": config | ({} if nested is None else {"nested_dims": nested})},
    )
    facts = {"run": "r", "prefix_of": 2 * DIM}
    write_store(tmp_path / "embeddings" / "cut.h5", codec="int8", metadata=facts)
    _, encode = map(shlex.join, store_commands(workspace, "cut"))
    wanted = f"compress encode --name r --dim {DIM}{' --any-dim' if expected else ''} --codec int8"
    assert encode == wanted
