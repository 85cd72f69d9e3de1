"""Recipes: the papers' numbers, values by name, and every encoder can be built and trained from them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from compress.errors import UsageError
from compress.training import CLOSED_FORM, TrainConfig, default_encoder, load_model, train, train_config
from compress.training.config import with_overrides
from compress.training.recipes import PRESETS
from compress.training.settings import Setting, describe
from encoders import config_class, encoder_level, list_encoders
from tests.encoders.examples import OPTIONS
from tests.training.examples import DIM, frame_table, video_table


def test_every_registered_encoder_has_a_recipe() -> None:
    assert {"identity", "linear", "lstm", "mlp", "residual_cnn", "residual_cnn_fc"} <= set(list_encoders())


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("encoder", list_encoders())
def test_every_recipe_builds_its_encoder_and_trains_a_step(tmp_path: Path, preset: str, encoder: str) -> None:
    head = {"head": "moe"} if encoder == "identity" else {}
    config = train_config(encoder, DIM, preset, {**OPTIONS.get(encoder, {}), **head})
    # One step an epoch; the warm-up and the branch get one each.
    config = replace(config, epochs=1 + min(config.warm_epochs, 1), warm_epochs=min(config.warm_epochs, 1))
    make = frame_table if encoder_level(encoder) == "frame" else video_table
    result = train(config, make(12), make(6, seed=1), tmp_path / "run")
    model, metadata = load_model(tmp_path / "run")
    assert model.dim == DIM
    assert result.best_epoch >= 1
    assert metadata["train_config"] == json.loads(json.dumps(config.to_json()))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("encoder", sorted(CLOSED_FORM))
def test_closed_forms_take_no_head_unless_asked(preset: str, encoder: str) -> None:
    assert train_config(encoder, None, preset).head is None
    if encoder != "identity":
        with pytest.raises(UsageError, match=f"{encoder} is a closed-form encoder, so it takes no head"):
            train_config(encoder, 4, preset, {"head": "moe"})


PAPER = {  # models.md section 2
    "optimizer": "adam",
    "clip_norm": 1.0,
    "schedule": "staircase",
    "decay": 0.95,
    "decay_examples": 4_000_000,
    "input_norm": "l2",
    "head": "moe",
    # The papers have no dropout, warm-up, average of weights or priors, and no weight decay but their L2.
    "input_dropout": 0.0,
    "warm_epochs": 0,
    "ema": 0.0,
    "weight_decay": 0.0,
    "class_priors": False,
    "precision": "fp32",
}
PAPER_RATES = {
    "residual_cnn": {"learning_rate": 1e-4, "branch_learning_rate": 1e-4, "batch_size": 256},
    "residual_cnn_fc": {"learning_rate": 0.01, "batch_size": 1024},
    "identity": {"learning_rate": 0.01, "batch_size": 1024},
    "lstm": {"learning_rate": 1e-3, "epochs": 2, "batch_size": 256},
}


@pytest.mark.parametrize("encoder", sorted(PAPER_RATES))
def test_the_paper_preset_is_what_the_papers_say(encoder: str) -> None:
    overrides = {"head": "moe"} if encoder == "identity" else None
    config = train_config(encoder, None, "paper", overrides)
    wanted = {**PAPER, **PAPER_RATES[encoder]}
    assert {name: getattr(config, name) for name in wanted} == wanted
    assert set(config.encoder_options) <= {"dim"}, "the encoders' own defaults are the papers'"


def test_the_trained_identity_has_the_same_recipe_as_the_encoders() -> None:
    best, linear = train_config("identity", None, "best", {"head": "moe"}), train_config("linear", 8)
    same = {
        "epochs",
        "mixup",
        "batch_size",
        "optimizer",
        "schedule",
        "weight_decay",
        "ema",
        "precision",
        "input_norm",
    }
    assert {n: getattr(best, n) for n in same} == {n: getattr(linear, n) for n in same}


@pytest.mark.parametrize(
    ("dim", "encoder"), [(640, "lstm"), (320, "residual_cnn"), (512, "residual_cnn"), (None, "residual_cnn")]
)
def test_a_size_means_the_encoder_of_its_row_in_table_4(dim: int | None, encoder: str) -> None:
    assert default_encoder(dim) == encoder


def test_settings_go_where_their_name_belongs() -> None:
    config = train_config("mlp", 8, "best", {"dropout": 0.2, "epochs": 3, "hidden": [64, 32], "seed": 7})
    assert (config.epochs, config.seed) == (3, 7)
    assert config.encoder_options == {"dim": 8, "dropout": 0.2, "hidden": [64, 32]}


def test_an_override_keeps_the_preset_s_other_options() -> None:
    options = train_config("residual_cnn", 320, "best", {"pooling": "mean"}).encoder_options
    assert options["pooling"] == "mean"
    assert options["branch_gain"] == 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("residual_cn", 320), "--encoder: no encoder 'residual_cn'; choose from .*residual_cnn"),
        (("linear", 8, "bst"), "--preset: no preset 'bst'; choose from best, paper"),
        (("linear", 8, "best", {"droput": 1}), r"no setting 'droput' for encoder 'linear'.*mean dropout\?"),
        (("linear", 8, "best", {"learning_rat": 1}), "did you mean learning_rate?"),
        (("linear", 8, "best", {"qqqq": 1}), "known: batch_size, .*weight_decay"),
        (("linear", 8, "best", {"encoder": "mlp"}), "no setting 'encoder'"),
        (("linear", 8, "best", {"encoder_options": {}}), "no setting 'encoder_options'"),
        (("linear", 8, "best", {"input_dim": 3}), "no setting 'input_dim'"),
        (("linear", 8, "best", {"head": None}), "'linear' is trained with a head"),
    ],
)  # fmt: skip
def test_what_no_recipe_knows_is_refused_with_a_suggestion(arguments: tuple, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train_config(*arguments)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("epochs", 0, "epochs must be a whole number, at least 1, .*not 0"),
        ("epochs", 2.5, "a whole number"),
        ("epochs", True, "a whole number"),
        ("epochs", "5", "a whole number"),
        ("batch_size", 0, "at least 1"),
        ("seed", -1, "at least 0"),
        ("learning_rate", 0, "learning_rate must be a number"),
        ("learning_rate", float("nan"), "learning_rate"),
        ("learning_rate", float("inf"), "learning_rate"),
        ("learning_rate", "fast", "learning_rate"),
        ("weight_decay", -0.1, "at least 0"),
        ("ema", 1.0, "ema must be a number, at least 0, below 1, not 1.0"),
        ("input_dropout", 1, "input_dropout must be a number, at least 0, below 1"),
        ("input_norm", "l1", "one of l2, l2_scaled, l2_standardize, standardize, none"),
        ("optimizer", "sgd", "one of adamw, adam"),
        ("schedule", "linear", "one of cosine, constant, staircase"),
        ("precision", "fp16", "one of bf16, fp32"),
        ("keep", "first", "one of best, last"),
        ("class_priors", "no", "class_priors must be true or false, not 'no'"),
        ("warm_epochs", 6, r"warm_epochs must be below epochs \(6\), not 6"),
    ],
)
def test_values_out_of_range_are_named(setting: str, value: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        with_overrides(TrainConfig("linear"), {setting: value}, {"dim"})


def test_every_setting_is_documented_with_type_and_default() -> None:
    for config in (TrainConfig, *map(config_class, list_encoders())):
        for setting in describe(config):
            assert setting.meaning, (config, setting.name)
            assert " " in setting.type or setting.type == "text", (config, setting)
            assert setting.required == (setting.name == "encoder" and config is TrainConfig)


def test_a_setting_is_described_by_its_rule_or_by_the_docstring() -> None:
    found = {setting.name: setting for setting in describe(TrainConfig)}
    assert [setting.name for setting in describe(TrainConfig)] == list(TrainConfig("linear").to_json())
    assert found["epochs"] == Setting(
        "epochs",
        "a whole number, at least 1, at most 2147483647",
        6,
        "passes over the training videos; with patience, the most that there are",
    )
    assert found["margin"].only_with == "class_loss=asymmetric"
    each = "a list of different whole numbers, each at least 1, at most 2147483647"
    assert found["nested_dims"].type == each
    assert found["encoder"].meaning.startswith("a registered encoder")
    linear = {setting.name: setting for setting in describe(config_class("linear"))}
    assert linear["norm"] == Setting("norm", "true or false", False, "batch norm on the embedding.")
    assert linear["dim"].meaning, "of the base class"


def test_a_recipe_is_json() -> None:
    config = TrainConfig("lstm", {"dim": 8, "sizes": (4, 8)}, head_options={"num_mixtures": 3})
    value = config.to_json()
    assert value["encoder_options"] == {"dim": 8, "sizes": [4, 8]}
    assert json.loads(json.dumps(value)) == value


def test_fewer_epochs_shorten_the_warm_up_and_leave_the_branch_the_last_one():
    config = train_config("residual_cnn", 32, overrides={"epochs": 3})
    assert (config.epochs, config.warm_epochs) == (3, 2)


def test_what_is_switched_off_may_be_said_where_it_has_no_effect():
    config = train_config("linear", 8, overrides={"schedule": "cosine", "refit": False})
    assert not config.refits
    with pytest.raises(UsageError, match="refit needs schedule=constant"):
        train_config("linear", 8, overrides={"schedule": "cosine", "refit": True})
