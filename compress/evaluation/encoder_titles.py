"""Each encoder in words, from its options: "BiLSTM 2 x 2048, last state"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_POOLED = {
    "max": "max pooling",
    "mean": "mean pooling",
    "swap": "swap pooling",
    "attention": "attention pooling",
    "raw_attention": "attention pooling without softmax",
    "last": "last state",
}
_RECURRENT = {
    "lstm": "LSTM",
    "residual_lstm": "Residual LSTM",
    "bilstm": "BiLSTM",
    "stacked_bilstm": "Stacked BiLSTM",
    "qrnn": "QRNN",
}
_TWO_WAYS = ("bilstm", "stacked_bilstm")
"""Encoders whose sizes are those of one direction, and that give both side by side."""

Options = Mapping[str, Any]


def encoder_title(encoder: str, options: Options, dim: int) -> str:
    """A readable name; the encoder's own where it is not known here.

    Args:
        encoder: registered, or computed ("pca").
        options: of the encoder, the defaults written out; what is missing is not told.
        dim: of the embedding.
    """
    if encoder in _RECURRENT:
        return _recurrent(encoder, options, dim)
    if encoder in _OTHERS:
        return _OTHERS[encoder](options, dim)
    return f"{encoder} {dim}"


def _recurrent(encoder: str, options: Options, dim: int) -> str:
    ways = 2 if encoder in _TWO_WAYS or options.get("bidirectional") else 1
    sizes = [size * ways for size in options.get("sizes", ())]
    words = [f"{_RECURRENT[encoder]} {_layers(sizes)}".rstrip()]
    if encoder == "qrnn":
        words += [f"{options['gates']}-pooling"] if "gates" in options else []
        words += [name for name in ("bidirectional", "dense") if options.get(name)]
    words += ["concatenated"] if options.get("between") == "concatenate" else []
    words += ["residual"] if options.get("residual") else []
    return ", ".join([*words, *_pooled(options), *_projected(sizes, dim)])


def _layers(sizes: Sequence[int]) -> str:
    """ "640", "2 x 1024" or "1280, 640"."""
    if len(sizes) > 1 and len(set(sizes)) == 1:
        return f"{len(sizes)} x {sizes[0]}"
    return ", ".join(map(str, sizes))


def _pooled(options: Options) -> list[str]:
    return [_POOLED[options["pooling"]]] if options.get("pooling") in _POOLED else []


def _projected(widths: Sequence[int], dim: int) -> list[str]:
    return [f"to {dim}"] if widths and dim and widths[-1] != dim else []


def _residual_cnn(options: Options, dim: int) -> str:
    width = options.get("width", 1.0)
    reduced = [f"width x{width:g}"] if width != 1.0 else []
    return ", ".join([f"ResidualCNN-{dim}", *_pooled(options), *reduced])


def _dbof(options: Options, dim: int) -> str:
    sizes = [options[name] for name in ("cluster_size", "hidden_size") if name in options]
    words = f"DBoF {_layers(sizes)}".rstrip()
    return ", ".join([words, *_pooled(options), *_projected(sizes[1:], dim)])


def _nextvlad(options: Options, dim: int) -> str:
    clusters = [f"{options['clusters']} clusters"] if "clusters" in options else []
    return ", ".join([f"NeXtVLAD {dim or ''}".rstrip(), *clusters])


def _transformer(options: Options, dim: int) -> str:
    layers, width = options.get("layers"), options.get("width")
    size = f" {layers} x {width}" if layers and width else ""
    widths = [width] if width else []
    return ", ".join([f"Transformer{size}", *_pooled(options), *_projected(widths, dim)])


def _frame_statistics(options: Options, dim: int) -> str:
    names = " and ".join(options.get("statistics", ()))
    encoder, own = options.get("encoder", "identity"), options.get("encoder_options", {})
    read_by = [] if encoder == "identity" else [encoder_title(encoder, own, dim)]
    return ", ".join([f"Frame statistics ({names})" if names else "Frame statistics", *read_by])


def _multi_modal(options: Options, dim: int) -> str:
    encoders = options.get("encoders", ())
    chosen = options.get("encoder_options") or [{} for _ in encoders]
    dims = [own.get("dim", 0) for own in chosen]
    titles = [encoder_title(*part) for part in zip(encoders, chosen, dims, strict=True)]
    if len(titles) > 1 and len(set(titles)) == 1:
        parts = [f"{titles[0]}, {len(titles)} times"]
    else:
        parts = [" and ".join(titles)] if titles else []
    joined = options.get("fusion") == "concatenate"
    words = [": ".join(["Multi-modal", *parts]), *(["concatenated"] if joined else [])]
    fused = [sum(dims) if joined else dims[0]] if dims and all(dims) else []
    return ", ".join([*words, *_projected(fused, dim)])


_OTHERS: dict[str, Callable[[Options, int], str]] = {
    "identity": lambda options, dim: "Original features",
    "pca": lambda options, dim: f"PCA to {dim}",
    "random_projection": lambda options, dim: f"Random projection to {dim}",
    "linear": lambda options, dim: f"Linear bottleneck {dim}",
    "mlp": lambda options, dim: f"MLP bottleneck {dim}",
    "autoencoder": lambda options, dim: f"Autoencoder {dim}",
    "residual_cnn": _residual_cnn,
    "residual_cnn_fc": lambda options, dim: f"ResidualCNN-FC-{dim}",
    "dbof": _dbof,
    "nextvlad": _nextvlad,
    "transformer": _transformer,
    "frame_statistics": _frame_statistics,
    "multi_modal": _multi_modal,
}
