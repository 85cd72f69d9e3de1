"""The settings of a training as a command line gives them: by an option each, or by `--set KEY=VALUE`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compress.errors import UsageError

OPTION_OF_SETTING = {
    "dim": "--dim",
    "epochs": "--epochs",
    "batch_size": "--batch-size",
    "learning_rate": "--learning-rate",
    "nested_dims": "--nested",
    "quantize": "--quantize",
    "teachers": "--teacher",
    "distill_weight": "--distill-weight",
    "temperature": "--temperature",
    "seed": "--seed",
}
"""Settings of a recipe that `compress train` has options for; all others are for `--set`."""


@dataclass(frozen=True)
class RecipeSetting:
    """A key of `--set`: its value unless it is set, its type and meaning, and its option where it has one."""

    key: str
    value: Any
    type: str
    meaning: str
    only_with: str
    option: str


def list_settings(
    *, encoder: str | None = None, dim: int | None = None, preset: str = "best"
) -> dict[str, list[RecipeSetting]]:
    """Every key of `compress train --set` by group, with its value for an encoder and a preset.

    Raises:
        UsageError: no such encoder or preset.
    """
    from compress.training.config import TrainConfig
    from compress.training.recipes import CLOSED_FORM, default_encoder, train_config
    from compress.training.settings import describe
    from encoders import config_class

    config = train_config(encoder or default_encoder(dim), dim, preset)
    options = config_class(CLOSED_FORM.get(config.encoder, config.encoder))
    recipe, chosen = config.to_json(), config.encoder_options
    groups = {"recipe": (TrainConfig, recipe), f"encoder {config.encoder}": (options, chosen)}
    return {
        group: [
            RecipeSetting(
                one.name,
                values.get(one.name, one.default),
                one.type,
                one.meaning,
                one.only_with,
                OPTION_OF_SETTING.get(one.name, ""),
            )
            for one in describe(kind)
            if one.name not in ("encoder", "encoder_options", "input_dim")
        ]
        for group, (kind, values) in groups.items()
    }


def recipe_changes(settings: Sequence[str], seed: int, named: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that overrides a value of the preset.

    Args:
        settings: "KEY=VALUE" as `--set` takes them; they override `seed`, and `named` overrides them.
        seed: >= 0.
        named: values of the options that stand for one setting each; None: not given.

    Raises:
        UsageError: a setting without "=".
    """
    changes: dict[str, Any] = {"seed": seed}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise UsageError(
                f"not KEY=VALUE: {setting!r}", where="--set", hint="for example --set dropout=0.2"
            )
        changes[key.strip()] = _value(text.strip())
    return changes | {key: value for key, value in named.items() if value is not None}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        # Not JSON, so it is a word such as `max`, which needs no quotes on a command line.
        return text
