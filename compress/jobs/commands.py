"""The commands that made a run or a store, from the shards on, for reports to print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any

from compress.command_line import command_argv, unless
from compress.evaluation.row import short
from compress.jobs.names import run_name
from compress.jobs.settings import OPTION_OF_SETTING
from compress.run_config import config_path, read_run_config
from compress.shrinking import ShrinkPlan
from compress.store.reader import open_store
from compress.training.config import TrainConfig
from compress.training.recipes import CLOSED_FORM, PRESETS, default_encoder, train_config
from compress.workspace import Workspace


def store_commands(workspace: Workspace, name: str) -> list[list[str]]:
    """The commands that made a store: of its run, and its `compress encode`; none if the run is not there."""
    store = open_store(workspace.store(name), verify=False)
    run = str(store.metadata.get("run", ""))
    if not run or not config_path(workspace.run(run)).is_file():
        return []
    is_prefix = "prefix_of" in store.metadata
    trained_dims = read_run_config(workspace.run(run))["config"].get("nested_dims", ())
    encoding = {
        "name": run,
        "dim": store.dim if is_prefix else None,
        "any_dim": is_prefix and store.dim not in trained_dims,
        "codec": unless(store.codec.name, "float32"),
    }
    return [*run_commands(workspace, run), command_argv("encode", encoding)]


def run_commands(workspace: Workspace, run: str) -> list[list[str]]:
    """The commands that made a run: its training, or another run's and what made that smaller."""
    if not config_path(workspace.run(run)).is_file():
        return []
    identity = read_run_config(workspace.run(run))
    refines = identity.get("refines")
    if refines is None:
        return [train_argv(run, identity)]
    return [train_argv(str(refines["run"]), identity), shrink_argv(run, refines)]


def train_argv(run: str, identity: Mapping[str, Any]) -> list[str]:
    """The `compress train` that made a run: its preset and whatever differs from it.

    Args:
        run: its name.
        identity: its config.json.
    """
    # An older version did not write every setting: it had the defaults.
    defaults = {field.name: field.default for field in fields(TrainConfig) if field.default is not MISSING}
    written = {**defaults, **identity["config"]}
    encoder, recipe = written["encoder"], _flat(written)
    dim = recipe.get("dim") or None  # 0, the encoder's own, is no --dim
    # A closed-form encoder was trained, not computed, only if a head was asked for.
    asked = {} if encoder not in CLOSED_FORM or recipe["head"] is None else {"head": recipe["head"]}
    videos = identity.get("train_videos")  # older runs do not tell
    changes = {}
    for preset in PRESETS:
        given = dict(asked)
        for name in (*_DECISIVE, None):
            known = _flat(asdict(train_config(encoder, dim, preset, given, videos)))
            if name is not None and recipe[name] != known[name]:
                given[name] = recipe[name]
        changes[preset] = {**given, **_changes(recipe, known)}
    preset = min(PRESETS, key=lambda name: (len(changes[name]), PRESETS.index(name)))
    options: dict[str, object] = {
        "encoder": None if dim is not None and encoder == default_encoder(dim) else encoder,
        "dim": dim,
        "preset": unless(preset, PRESETS[0]),
    }
    words = command_argv("train", options)
    for key, value in changes[preset].items():
        words += _option(key, value)
    for pattern in identity.get("unlabelled_shards", ()):
        words += ["--unlabelled", short(pattern)]
    return words + ([] if run == run_name(encoder, dim, None) else ["--name", run])


def shrink_argv(run: str, refines: Mapping[str, Any]) -> list[str]:
    """The `compress shrink` that made a smaller run, with every option that matters written out.

    Args:
        run: name of the smaller run.
        refines: from its config.json: "run", and the plan.
    """
    source = str(refines["run"])
    plan = ShrinkPlan(
        **{name: value for name, value in refines.items() if name not in ("run", "model_sha256")}
    )
    pruning = {"prune": plan.prune, "scope": plan.scope, "epochs": plan.epochs} if plan.prune else {}
    options = {
        "name": source,
        "weights": plan.weights,
        **pruning,
        "learning_rate": plan.learning_rate,
        "output": unless(run, f"{source}-{plan.suffix}"),
    }
    return command_argv("shrink", options)


def _option(key: str, value: Any) -> list[str]:
    """A setting of the recipe as `compress train` takes it."""
    option = OPTION_OF_SETTING.get(key)
    if key == "teachers":
        return [word for name in value for word in ("--teacher", name)]
    if key == "nested_dims" and value:
        return ["--nested", ",".join(map(str, value))]
    text = value if isinstance(value, str) else json.dumps(value)
    return [option, text] if option and key not in ("nested_dims", "dim") else ["--set", f"{key}={text}"]


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe and encoder options in one mapping of JSON values, as --set takes them.

    Without the encoder's name, as an encoder's option may be called "encoder" too.
    """
    own = {key: value for key, value in config.items() if key not in ("encoder", "encoder_options")}
    flat = {**config["encoder_options"], **own}
    result: dict[str, Any] = json.loads(json.dumps(flat))
    return result


def _changes(recipe: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in recipe.items() if key not in known or known[key] != value}
    if recipe["schedule"] != "constant":
        found.pop("refit", None)  # has no effect, so it would be refused
    return found


_DECISIVE = ("schedule", "set_aside", "epochs", "batch_size")  # other settings follow from these
