"""What a person types to get a row of a report, from the shards on."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compress.artifacts.atomic import read_json
from compress.evaluation.shard_names import short
from compress.jobs.names import run_name
from compress.jobs.shrink_words import shrink_words
from compress.store.reader import open_store
from compress.training.recipes import CLOSED_FORM, PRESETS, default_encoder, train_config
from compress.workspace import Workspace

_FLAGS = ("epochs", "batch_size", "learning_rate", "quantize", "distill_weight", "temperature", "seed")


def row_command(
    workspace: Workspace,
    name: str,
    *,
    baseline: str = "original",
    head_epochs: int | None = None,
    head_mixup: float = 0.0,
    retrieval: bool = True,
    full_map: bool = False,
    seed: int = 0,
) -> str:
    """`compress train ... && compress encode ... && compress evaluate ...`.

    Args:
        workspace: has the run that the store came from; without that run, only the evaluation is told.
        name: of the store.
        baseline, head_epochs, head_mixup, retrieval, full_map, seed: of the evaluation.
    """
    store = open_store(workspace.store(name), verify=False)
    run = str(store.metadata.get("run", ""))
    config = workspace.run(run) / "config.json"
    words = ["compress", "evaluate", "--name", name]
    words += [] if baseline == "original" else ["--baseline", baseline]
    words += [] if head_epochs is None else ["--head-epochs", str(head_epochs)]
    words += ["--head-mixup", f"{head_mixup:g}"] if head_mixup else []
    words += [] if retrieval else ["--no-retrieval"]
    words += ["--full-map"] if full_map else []
    words += ["--seed", str(seed)] if seed else []
    commands = [words]
    if run and config.is_file():
        encode = ["compress", "encode", "--name", run]
        if "prefix_of" in store.metadata:
            encode += ["--dim", str(store.dim)]
            trained = read_json(config)["config"].get("nested_dims", ())
            encode += [] if store.dim in trained else ["--any-dim"]
        encode += [] if store.codec.name == "float32" else ["--codec", store.codec.name]
        commands = [*making_words(run, config), encode, words]
    return " && ".join(map(shlex.join, commands))


def models_command(
    workspace: Workspace,
    runs: Sequence[str],
    *,
    name: str | None = None,
    validate: Sequence[str] = (),
    baseline: str | None = None,
    precision: str = "auto",
    full_map: bool = False,
    seed: int = 0,
) -> str:
    """`compress train ... && compress evaluate --run ...`, with the training of every run."""
    trainings = [
        words
        for run in runs
        if (config := workspace.run(run) / "config.json").is_file()
        for words in making_words(run, config)
    ]
    words = ["compress", "evaluate", *(word for run in runs for word in ("--run", run))]
    words += [] if name is None else ["--name", name]
    words += [word for pattern in validate for word in ("--validate", short(pattern))]
    words += [] if baseline is None else ["--baseline", baseline]
    words += [] if precision == "auto" else ["--precision", precision]
    words += ["--full-map"] if full_map else []
    words += ["--seed", str(seed)] if seed else []
    return " && ".join(map(shlex.join, [*trainings, words]))


def making_words(run: str, config: Path) -> list[list[str]]:
    """The commands that made a run: its training, or that of another run and what made it smaller.

    Args:
        run: its name.
        config: its config.json.
    """
    refines = read_json(config).get("refines")
    if refines is None:
        return [train_words(run, config)]
    return [train_words(str(refines["run"]), config), shrink_words(run, refines)]


def train_words(run: str, config: Path) -> list[str]:
    """The training that made a run: its preset and whatever differs from that.

    Args:
        run: its name.
        config: its config.json.
    """
    identity = read_json(config)
    written = identity["config"]
    encoder, recipe = written["encoder"], _flat(written)
    dim = recipe.get("dim") or None  # 0, the encoder's own, is no --dim
    # What could be computed as well is trained because a head was asked for: only then presets differ.
    asked = {} if encoder not in CLOSED_FORM or recipe["head"] is None else {"head": recipe["head"]}
    presets = {preset: _flat(asdict(train_config(encoder, dim, preset, asked))) for preset in PRESETS}
    changes = {preset: {**asked, **_changes(recipe, known)} for preset, known in presets.items()}
    preset = min(PRESETS, key=lambda name: (len(changes[name]), PRESETS.index(name)))
    words = ["compress", "train"]
    words += [] if dim is not None and encoder == default_encoder(dim) else ["--encoder", encoder]
    words += [] if dim is None else ["--dim", str(dim)]
    words += [] if preset == PRESETS[0] else ["--preset", preset]
    for key, value in changes[preset].items():
        words += _option(key, value)
    for pattern in identity.get("unlabelled_shards", ()):
        words += ["--unlabelled", short(pattern)]
    return words + ([] if run == run_name(encoder, dim, None) else ["--name", run])


def _option(key: str, value: Any) -> list[str]:
    """A setting of the recipe as `compress train` takes it."""
    if key == "nested_dims" and value:
        return ["--nested", ",".join(map(str, value))]
    if key == "teachers":
        return [word for name in value for word in ("--teacher", name)]
    text = value if isinstance(value, str) else json.dumps(value)
    return [f"--{key.replace('_', '-')}", text] if key in _FLAGS else ["--set", f"{key}={text}"]


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe with the encoder's options among its own settings, as --set takes them; JSON values.

    Without the encoder's name: an option may be called "encoder" too.
    """
    own = {key: value for key, value in config.items() if key not in ("encoder", "encoder_options")}
    flat = {**config["encoder_options"], **own}
    result: dict[str, Any] = json.loads(json.dumps(flat))
    return result


def _changes(recipe: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recipe.items() if key not in known or known[key] != value}
