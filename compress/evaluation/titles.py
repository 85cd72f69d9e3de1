"""What a row is called, which line of the paper's Table 4 it answers, and what part it plays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_POOLED = {
    "max": "max pooling",
    "mean": "mean pooling",
    "attention": "attention pooling",
    "last": "last state",
}


def title(facts: Mapping[str, Any], dim: int, codec: str) -> str:
    """A readable name, e.g. "ResidualCNN-320, max pooling".

    Args:
        facts: metadata of the store.
        dim, codec: of the store.
    """
    encoder, options = str(facts.get("encoder", "unknown")), facts.get("encoder_options", {})
    pooling = _POOLED.get(options.get("pooling", ""), "")
    sizes = ", ".join(map(str, options.get("sizes", ())))
    names = {
        "identity": "Original features",
        "pca": f"PCA to {dim}",
        "random_projection": f"Random projection to {dim}",
        "linear": f"Linear bottleneck {dim}, trained with its head",
        "mlp": f"MLP bottleneck {dim}",
        "residual_cnn": f"ResidualCNN-{dim}, {pooling}",
        "residual_cnn_fc": f"ResidualCNN-FC-{dim}",
        "lstm": f"LSTM {sizes}, {pooling}",
    }
    width = options.get("width", 1.0)
    reduced = f", width x{width:g}" if width != 1.0 else ""
    return names.get(encoder, f"{encoder} {dim}") + reduced + ("" if codec == "float32" else f", {codec}")


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
