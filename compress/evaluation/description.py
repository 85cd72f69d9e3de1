"""How a measured store or run is described: title, role, notes on its training, size."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compress.artifacts.manifest import Manifest
from compress.evaluation.row import Role
from compress.training.run import WEIGHTS, model_manifest, read_model, read_tensors
from compress.training.weights import bytes_by_part
from encoders import config_class
from encoders import encoder_title as trained_title

_HEADS = {"moe": "MoE", "logistic": "logistic regression"}
_MIXTURES = 2  # of the papers
_CLOSED_FORM = {"pca": "PCA to", "random_projection": "Random projection to"}


def encoder_title(encoder: str, options: Mapping[str, Any], dim: int) -> str:
    """A readable encoder, e.g. "BiLSTM 2 x 2048, last state", or "PCA to 64" for a closed-form one."""
    if encoder in _CLOSED_FORM:
        return f"{_CLOSED_FORM[encoder]} {dim}"
    return trained_title(encoder, options, dim)


def title(facts: Mapping[str, Any], dim: int, codec: str) -> str:
    """A readable name of a store, e.g. "ResidualCNN-320, max pooling"; `facts` is its metadata."""
    encoder, options = str(facts.get("encoder", "unknown")), facts.get("encoder_options", {})
    trained = ", trained with its head" if encoder == "linear" else ""  # PCA is a linear bottleneck too
    whole = facts.get("prefix_of")
    cut = "" if whole is None else f", first {dim} dimensions"
    stored = "" if codec == "float32" else f", {codec}"
    return encoder_title(encoder, options, whole or dim) + trained + shrunk_title(facts) + cut + stored


def shrunk_title(facts: Mapping[str, Any]) -> str:
    """ ", int8 weights, 80 % pruned" from the metadata of a store or model; "" where nothing was shrunk."""
    shrunk = facts.get("shrunk")
    if shrunk is None:
        return ""
    stored = "" if shrunk["weights"] == "float32" else f", {shrunk['weights']} weights"
    return stored + (f", {100 * shrunk['prune']:g} % pruned" if shrunk["prune"] else "")


def model_title(
    encoder: str, options: Mapping[str, Any], dim: int, head: str, mixtures: int | None = None
) -> str:
    """A readable name of a trained run, e.g. "LSTM 1280, 640, last state".

    It names the head unless that is the papers' MoE (mixture of experts) of 2 mixtures; `mixtures` is None
    for other heads and when unknown.
    """
    words = [encoder_title(encoder, options, dim)]
    other = mixtures not in (None, _MIXTURES)
    if head != "moe" or encoder == "identity" or other:
        size = f" of {mixtures} mixture{'' if mixtures == 1 else 's'}" if other else ""
        words.append(_HEADS.get(head, head) + size)
    return ", ".join(words)


def table4_row(facts: Mapping[str, Any], dim: int, codec: str) -> str | None:
    """The line of the paper's Table 4 that this store corresponds to, or None."""
    options = facts.get("encoder_options", {})
    if codec != "float32" or "prefix_of" in facts or "shrunk" in facts:
        return None
    if facts.get("encoder") == "residual_cnn" and options.get("pooling") == "max" and dim in (320, 512):
        return f"ResidualCNN-{dim}, Max Pooling"
    two_layers = len(options.get("sizes", ())) == 2 and options.get("pooling") == "last"
    if facts.get("encoder") == "lstm" and dim == 640 and two_layers:
        return "LSTM 2 layer, (1280,640)"
    return None


def role(name: str, baseline: str, facts: Mapping[str, Any]) -> Role:
    """ "baseline", "control" (needs no training) or "encoder"."""
    if name == baseline:
        return "baseline"
    return "control" if facts.get("encoder") in ("identity", "pca", "random_projection") else "encoder"


# The defaults of these encoders are the papers' architectures; other encoders have no published one.
_PUBLISHED = (
    "residual_cnn",
    "residual_cnn_fc",
    "lstm",
    "residual_lstm",
    "bilstm",
    "stacked_bilstm",
    "dbof",
)
# The papers have rows with several values of these options, and every title names the value; input_dim comes
# from the data.
_IN_TITLE = ("input_dim", "dim", "sizes", "pooling", "between", "residual", "cluster_size", "hidden_size")


def recipe_notes(run: Path) -> list[str]:
    """Notes about how a finished run (its folder) was trained."""
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
    aside, kept = facts.get("set_aside"), facts["epoch"]
    refit = aside is not None and recipe["refit"] and recipe["schedule"] == "constant"
    if recipe["warm_epochs"]:
        warm = kept - recipe["branch_epochs"] if refit else recipe["warm_epochs"]
        total = kept if refit else recipe["epochs"]
        notes.append(f"{warm} of {total} epochs trained its first layer and head alone.")
    if aside is not None and recipe["keep"] == "last":
        notes.append(f"{aside['videos']:,} training videos were set aside; the last epoch was kept.")
    elif aside is not None:
        again = "again" if aside.get("never_trained_on") else "on all"  # on all by an earlier version
        notes.append(
            f"The best epoch, {aside['epoch']}, was chosen by GAP of its joint head on {aside['videos']:,} "
            f"training videos that were set aside{f', then as many trained {again}' if refit else ''}."
        )
    elif recipe["keep"] == "best":
        notes.append(
            f"The encoder of epoch {kept} of {recipe['epochs']} was kept, "
            "by GAP of its joint head on the validation videos."
        )
    if facts.get("converged") is False:
        notes.append(f"Not converged after {recipe['epochs']} epochs: train it with more --epochs.")
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
        if name not in _IN_TITLE and value != getattr(published, name)
    ]


def model_size(run: Path) -> dict[str, Any]:
    """The size of a finished run (its folder).

    Returns:
        JSON: "bytes" of the file; "parts", its bytes by part of the model ("encoder" is what computing an
        embedding needs); "weights", the type that matrices are stored in; "share_of_zeros" of the matrices,
        0 unless weights were pruned.

    Raises:
        NotFoundError, CorruptArtifactError: see `load_model`.
    """
    return read_model(run, _size)


def _size(manifest: Manifest) -> dict[str, Any]:
    shrunk = manifest.metadata.get("shrunk", {})
    return {
        "bytes": manifest.files[WEIGHTS].bytes,
        "parts": bytes_by_part(read_tensors(manifest.path(WEIGHTS))),
        "weights": shrunk.get("weights", "float32"),
        "share_of_zeros": shrunk.get("share_of_zeros", 0.0),
    }
