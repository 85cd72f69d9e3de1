"""What a row is called, which line of the paper's Table 4 it answers, and what part it plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compress.evaluation.encoder_titles import encoder_title
from compress.evaluation.row import Role

_HEADS = {"moe": "MoE", "logistic": "logistic regression"}
_MIXTURES = 2  # of the papers


def title(facts: Mapping[str, Any], dim: int, codec: str) -> str:
    """A readable name, e.g. "ResidualCNN-320, max pooling".

    Args:
        facts: metadata of the store.
        dim, codec: of the store.
    """
    encoder, options = str(facts.get("encoder", "unknown")), facts.get("encoder_options", {})
    trained = ", trained with its head" if encoder == "linear" else ""  # PCA is a linear bottleneck too
    whole = facts.get("prefix_of")
    cut = "" if whole is None else f", first {dim} numbers"
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
    """What a trained run is called, e.g. "LSTM 1280, 640, last state".

    The head is told where it is not the papers' MoE of 2 mixtures.

    Args:
        encoder, options, dim: as for `encoder_title`.
        head: a registered head.
        mixtures: of an MoE; None for other heads, or where it is not known.
    """
    words = [encoder_title(encoder, options, dim)]
    other = mixtures not in (None, _MIXTURES)
    if head != "moe" or encoder == "identity" or other:
        size = f" of {mixtures} mixture{'' if mixtures == 1 else 's'}" if other else ""
        words.append(_HEADS.get(head, head) + size)
    return ", ".join(words)


def table4_row(facts: Mapping[str, Any], dim: int, codec: str) -> str | None:
    """The line of the paper's Table 4 that this store answers, or None."""
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
