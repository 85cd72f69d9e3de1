"""`compress train --set KEY=VALUE`: values are JSON, or else words; --help-settings lists the keys."""

from __future__ import annotations

from dataclasses import fields

import pytest

from cli.train import train
from compress.errors import UsageError
from compress.jobs.settings import OPTION_OF_SETTING, recipe_changes
from compress.training.config import TrainConfig
from compress.training.recipes import train_config
from encoders import config_class


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("dropout=0.2", "dropout", 0.2),
        ("pooling=max", "pooling", "max"),
        ('pooling="max"', "pooling", "max"),
        ("layers=[1280,640]", "layers", [1280, 640]),
        ("class_priors=false", "class_priors", False),
        (" ema = 0.9 ", "ema", 0.9),
        ("text=a=b", "text", "a=b"),
        ("empty=", "empty", ""),
    ],
)
def test_a_setting_is_read(setting: str, key: str, value: object):
    assert recipe_changes((setting,), 5, {}) == {"seed": 5, key: value}


@pytest.mark.parametrize("setting", ["dropout", "=0.2", ""])
def test_what_is_no_setting_is_refused(setting: str):
    with pytest.raises(UsageError, match="--set"):
        recipe_changes((setting,), 5, {})


def test_a_named_option_goes_before_set():
    changes = recipe_changes(("epochs=3", "batch_size=64"), 5, {"epochs": 7, "quantize": None})
    assert changes == {"seed": 5, "epochs": 7, "batch_size": 64}


@pytest.mark.parametrize(("encoder", "preset"), [("linear", "best"), ("lstm", "paper"), ("pca", "best")])
def test_every_key_is_listed_with_its_value_type_and_meaning(compress, here, encoder: str, preset: str):
    words = ("train", "--help-settings", "--encoder", encoder, "--preset", preset, "--dim", "24")
    recipe, options = compress(*words, "--json").json["settings"].values()
    known = {field.name for field in fields(TrainConfig)} - {"encoder", "encoder_options"}
    own = {field.name for field in fields(config_class("linear" if encoder == "pca" else encoder))}
    assert {one["key"] for one in recipe} == known
    assert {one["key"] for one in options} == own - {"input_dim"}
    assert all(one["type"] and one["meaning"] for one in [*recipe, *options])
    assert {one["key"]: one["value"] for one in options}["dim"] == 24
    config = train_config(encoder, 24, preset).to_json()
    assert {one["key"]: one["value"] for one in recipe} == {key: config[key] for key in known}
    text = compress(*words).out
    assert all(f"  {one['key']}=" in text for one in [*recipe, *options])


def test_the_options_that_are_named_for_settings_exist():
    offered = {name for parameter in train.params for name in parameter.opts}
    assert set(OPTION_OF_SETTING.values()) <= offered
