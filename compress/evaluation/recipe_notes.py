"""How an encoder was made, where that is not what the paper did: a reader must not have to guess."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compress.training.run import model_manifest
from encoders import config_class

# Defaults of these encoders are the papers' architecture; the others have none to differ from.
_PUBLISHED = (
    "residual_cnn",
    "residual_cnn_fc",
    "lstm",
    "residual_lstm",
    "bilstm",
    "stacked_bilstm",
    "dbof",
)
# Their rows are in the papers with several values of these, and every title tells which one (input_dim is the
# data's, not a choice).
_TOLD = ("input_dim", "dim", "sizes", "pooling", "between", "residual", "cluster_size", "hidden_size")


def recipe_notes(run: Path) -> list[str]:
    """Sentences about a finished training, none where there is nothing to say.

    Args:
        run: its folder.
    """
    facts = model_manifest(run).metadata
    recipe = facts["train_config"]
    notes: list[str] = []
    if "shrunk" in facts:
        notes.append(_how_shrunk(facts["shrunk"]))
    if recipe["head"] is None:
        return notes
    changed = _changed_options(facts["model_config"]) if recipe["encoder"] in _PUBLISHED else []
    if changed:
        notes.append("Encoder options that are not the paper's: " + ", ".join(changed) + ".")
    if recipe["warm_epochs"]:
        notes.append(
            f"{recipe['warm_epochs']} of {recipe['epochs']} epochs trained its first layer and head alone."
        )
    if recipe["keep"] == "best":
        notes.append(
            f"The encoder of epoch {facts['epoch']} of {recipe['epochs']} was kept, "
            "by GAP of its joint head on the validation videos."
        )
    if recipe["precision"] == "bf16":
        notes.append("Embeddings were computed in bfloat16.")
    return notes


def _how_shrunk(shrunk: Mapping[str, Any]) -> str:
    kept = {"float32": "32 bits", "float16": "16 bits", "int8": "8 bits"}[shrunk["weights"]]
    how = f"The weights of {shrunk['run']} in {kept} each"
    if not shrunk["prune"]:
        return how + "."
    passes = f"in {shrunk['epochs']} more epochs" if shrunk["epochs"] else "at once"
    return f"{how}, the smallest {100 * shrunk['prune']:g} % set to 0 {passes}."


def _changed_options(model: dict[str, Any]) -> list[str]:
    options = model["encoder_options"]
    published = config_class(model["encoder"])()
    return [
        f"{name} {value}"
        for name, value in sorted(options.items())
        if name not in _TOLD and value != getattr(published, name)
    ]
