"""What a row is called, which line of the paper's Table 4 it answers, and what part it plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compress.evaluation.encoder_titles import encoder_title

_HEADS = {"moe": "MoE", "logistic": "logistic regression"}


def title(facts: Mapping[str, Any], dim: int, codec: str) -> str:
    """A readable name, e.g. "ResidualCNN-320, max pooling".

    Args:
        facts: metadata of the store.
        dim, codec: of the store.
    """
    encoder, options = str(facts.get("encoder", "unknown")), facts.get("encoder_options", {})
    trained = ", trained with its head" if encoder == "linear" else ""  # PCA is a linear bottleneck too
    return encoder_title(encoder, options, dim) + trained + ("" if codec == "float32" else f", {codec}")


def model_title(encoder: str, options: Mapping[str, Any], dim: int, head: str) -> str:
    """What a trained run is called, e.g. "LSTM 1280, 640, last state"; the head is told where it is not MoE.

    Args:
        encoder, options, dim: as for `encoder_title`.
        head: a registered head.
    """
    words = encoder_title(encoder, options, dim)
    return words if head == "moe" and encoder != "identity" else f"{words}, {_HEADS.get(head, head)}"


def table4_row(facts: Mapping[str, Any], dim: int, codec: str) -> str | None:
    """The line of the paper's Table 4 that this store answers, or None."""
    options = facts.get("encoder_options", {})
    if codec != "float32":
        return None
    if facts.get("encoder") == "residual_cnn" and options.get("pooling") == "max" and dim in (320, 512):
        return f"ResidualCNN-{dim}, Max Pooling"
    two_layers = len(options.get("sizes", ())) == 2 and options.get("pooling") == "last"
    if facts.get("encoder") == "lstm" and dim == 640 and two_layers:
        return "LSTM 2 layer, (1280,640)"
    return None


def role(name: str, baseline: str, facts: Mapping[str, Any]) -> str:
    """ "baseline", "control" (needs no training) or "encoder"."""
    if name == baseline:
        return "baseline"
    return "control" if facts.get("encoder") in ("identity", "pca", "random_projection") else "encoder"
