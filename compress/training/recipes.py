"""All recipes: the presets of encoders, the fresh heads that evaluate embeddings, the demo's sizes.

Preset `paper` follows the papers; `best` was tuned on 23,091 real YouTube-8M videos, at frame level on 22,160
real clips (docs/experiments.md has the figures, and what did not help).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from compress.errors import UsageError
from compress.training.config import TrainConfig, with_overrides
from compress.training.scaling import scaled
from compress.training.set_aside import SHARE
from encoders import config_class, encoder_level, list_encoders

CLOSED_FORM = {"pca": "linear", "random_projection": "linear", "identity": "identity"}
"""Closed-form encoders, which are not trained, and the registered encoder that holds their weights.

`identity` can also be trained with a head: the MoE on the original features, Table 3's first row.
"""

PRESETS = ("best", "paper")

# Trained until patience ends it, then as many epochs again with a falling rate, on nine tenths of the videos.
_CONVERGED: dict[str, Any] = {"schedule": "constant", "epochs": 60, "set_aside": SHARE, "refit": True}
_LIVELY_NORM = {"norm_momentum": 0.05}  # the papers' 0.001 needs thousands of steps
_MIXED: dict[str, Any] = {"mixup": 0.4}  # helps rare classes most (docs/experiments.md)
_FRAMES = {"batch_size": 128, "epochs": 20, "clip_norm": 1.0}  # tuned on 22,160 AudioSet clips
_BEST: dict[str, dict[str, Any]] = {
    "linear": {
        "learning_rate": 2e-3,
        **_MIXED,
        "encoder_options": {"norm": True, "dropout": 0.4},
    },
    "mlp": {"learning_rate": 1e-3},
    "residual_cnn": {
        "learning_rate": 2e-3,
        "branch_learning_rate": 5e-4,
        "warm_epochs": 59,  # all but the refit's last
        "encoder_options": {
            "fc_activation": "linear",
            "fc_weight_penalty": 0.0,
            "branch_gain": 0.0,
            "embedding_norm": True,
            "embedding_dropout": 0.4,
            **_LIVELY_NORM,
        },
    },
    "residual_cnn_fc": {
        "learning_rate": 2e-3,
        "encoder_options": {"fc_weight_penalty": 0.0, "embedding_norm": True, "embedding_dropout": 0.4},
    },
    "autoencoder": {
        "learning_rate": 2e-3,
        "encoder_options": {"embedding_norm": True, "embedding_dropout": 0.4},
    },
    "identity": _MIXED,
    "lstm": _FRAMES,
    "residual_lstm": _FRAMES,
    "bilstm": _FRAMES,
    "stacked_bilstm": _FRAMES,
    "qrnn": _FRAMES,
    "multi_modal": _FRAMES,
    "dbof": {**_FRAMES, "encoder_options": {"embedding_dropout": 0.4, **_LIVELY_NORM}},
    "nextvlad": {
        **_FRAMES,
        "learning_rate": 3e-3,
        "encoder_options": {"embedding_dropout": 0.5, **_LIVELY_NORM},
    },
    "transformer": {
        **_FRAMES,
        "learning_rate": 5e-4,
        "encoder_options": {"dropout": 0.2, "embedding_dropout": 0.4},
    },
    "frame_statistics": {"encoder_options": {"standardize": True}},
}
_PAPER_COMMON: dict[str, Any] = {
    "input_norm": "l2",
    "optimizer": "adam",
    "schedule": "staircase",
    "weight_decay": 0.0,
    "clip_norm": 1.0,
    "class_priors": False,
    "ema": 0.0,
    "precision": "fp32",
    "epochs": 5,  # the text has 2 for frame-level models, and names none for video-level ones
}
_PAPER: dict[str, dict[str, Any]] = {
    "residual_cnn": {"learning_rate": 1e-4, "branch_learning_rate": 1e-4},
    "qrnn": {"learning_rate": 1e-3, "epochs": 5},  # the second paper names nothing but its epochs
}
_PAPER_FRAMES: dict[str, Any] = {"learning_rate": 1e-3, "epochs": 2}  # Table 2's batches: 128, 256 or 512
_PAPER_FULLY_CONNECTED: dict[str, Any] = {"learning_rate": 0.01, "batch_size": 1024}


JUDGE_EPOCHS, JUDGE_PATIENCE, JUDGE_STEPS = 100, 3, 80
"""The most epochs of a judge, how many it waits for a better one, and the least steps of each."""

_TUNED_DIM = 1152  # the original's

HIDDEN = 1024
"""Width of the hidden layer of the judge `mlp`."""

_FIXED = ("schedule=cosine", "keep=last", "least_steps=0")
DEMO: Mapping[str, tuple[str, ...]] = {
    "linear": _FIXED,
    "residual_cnn": (*_FIXED, "width=0.0625"),
    "lstm": (*_FIXED, "sizes=[256,640]", "learning_rate=0.002"),
}
"""What the demo adds to `best`, as `compress train --set` takes it, so that a CPU trains in minutes."""


def judge_config(
    judge: str,
    videos: int,
    dim: int,
    seed: int = 0,
    *,
    epochs: int | None = None,
    mixup: float = 0.0,
    weight_decay: float = 1e-2,
) -> TrainConfig:
    """The recipe of a trained judge of embeddings, the same for every row.

    The learning rate stays, the running average of the weights is what counts, and training ends when GAP on
    the videos that are set aside stops rising. So each row gets its own length by the same rule.

    Args:
        judge: "moe" (the papers' head), "logistic", or "mlp" (one hidden layer, then logistic regression).
        videos: that it learns from.
        dim: embedding size. A step moves a logit by about the learning rate times `dim`, so small embeddings
            get a higher one.
        seed: of weights, order and mixing.
        epochs: the most passes over the data; None for `JUDGE_EPOCHS`.
        mixup: alpha of the Beta distribution that pairs of videos are blended by; 0 blends none.
        weight_decay: of matrices.
    """
    hidden = {"dim": HIDDEN, "fc_weight_penalty": 0.0, "embedding_dropout": 0.5}
    return TrainConfig(
        "residual_cnn_fc" if judge == "mlp" else "identity",
        encoder_options=hidden if judge == "mlp" else {},
        head="moe" if judge == "moe" else "logistic",
        input_norm="l2_scaled",  # unlike standardising, it magnifies no weak dimension
        schedule="constant",
        epochs=JUDGE_EPOCHS if epochs is None else epochs,
        least_steps=JUDGE_STEPS,
        batch_size=min(256, max(16, videos // 8)),
        learning_rate=1e-3 if judge == "mlp" else 1e-3 * min(max(math.sqrt(_TUNED_DIM / dim), 1), 10),
        keep="best",
        patience=JUDGE_PATIENCE,
        mixup=mixup,
        weight_decay=weight_decay,
        seed=seed,
    )


def default_encoder(dim: int | None) -> str:
    """The encoder of Table 4's row of that size: 640 is the LSTM's, any other size a ResidualCNN's."""
    return "lstm" if dim == 640 else "residual_cnn"


def train_config(
    encoder: str,
    dim: int | None,
    preset: str = "best",
    overrides: Mapping[str, Any] | None = None,
    videos: int | None = None,
) -> TrainConfig:
    """The recipe of an encoder.

    Args:
        encoder: a registered encoder, or one of CLOSED_FORM.
        dim: embedding size; None for the encoder's default.
        preset: "best" or "paper".
        overrides: settings of the recipe or of the encoder, by name.
        videos: how many there are to train on; None gives preset `best` as it was tuned, on 23,091.

    Raises:
        UsageError: unknown encoder, preset or setting, or a value out of range.
    """
    known = sorted({*list_encoders(), *CLOSED_FORM})
    if encoder not in known:
        raise UsageError(f"no encoder {encoder!r}", where="--encoder", hint="choose from " + ", ".join(known))
    if preset not in PRESETS:
        raise UsageError(f"no preset {preset!r}", where="--preset", hint="choose from " + ", ".join(PRESETS))
    values = dict({**_CONVERGED, **_BEST.get(encoder, {})} if preset == "best" else _paper(encoder))
    options = {**values.pop("encoder_options", {}), **({} if dim is None else {"dim": dim})}
    config = TrainConfig(encoder, encoder_options=options, **values)
    if encoder in CLOSED_FORM and (overrides or {}).get("head") is None:
        config = TrainConfig(encoder, options, head=None, input_norm="l2", precision="fp32")
    names = {f.name for f in fields(config_class(CLOSED_FORM.get(encoder, encoder)))} - {"input_dim"}
    overrides = dict(overrides or {})
    epochs = overrides.get("epochs")
    if "warm_epochs" not in overrides and isinstance(epochs, int) and 1 <= epochs <= config.warm_epochs:
        overrides["warm_epochs"] = epochs - 1  # the branch is still trained in the last epoch
    if overrides.get("head", config.head) is None and encoder not in CLOSED_FORM:
        raise UsageError(
            f"encoder {encoder!r} is trained with a head", where="--set head", hint="moe, logistic"
        )
    chosen = with_overrides(config, overrides, names)
    if preset == "best" and videos is not None and chosen.head is not None:
        chosen = scaled(chosen, videos, overrides)
    if chosen.head is not None and encoder in CLOSED_FORM and encoder != "identity":
        raise UsageError(f"{encoder} is a closed-form encoder, so it takes no head", where="--set head")
    return chosen


def _paper(encoder: str) -> dict[str, Any]:
    frames = encoder not in CLOSED_FORM and encoder_level(encoder) == "frame"
    common = _PAPER_FRAMES if frames else _PAPER_FULLY_CONNECTED
    return {**_PAPER_COMMON, **_PAPER.get(encoder, common)}
