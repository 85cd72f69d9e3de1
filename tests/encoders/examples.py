"""Small encoders and inputs for the tests of this area, and for all that go over the whole registry."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from encoders import Encoder, InputNormConfig, Inputs, Model, ModelConfig, build_encoder, build_model

SMALL = {"input_dim": 16, "dim": 16}  # equal, so that even the identity can be built

# What makes an encoder small enough for the tests, where SMALL does not: one line each, sorted.
OPTIONS: dict[str, dict[str, Any]] = {
    "autoencoder": {"hidden": [24]},
    "bilstm": {"sizes": [12, 10]},
    "dbof": {"cluster_size": 32, "hidden_size": 24},
    "frame_statistics": {"encoder_options": {"hidden": [24]}},
    "lstm": {"sizes": [24, 16]},
    "mlp": {"hidden": [24]},
    "multi_modal": {"modalities": [10, 6], "encoder_options": [{"dim": 12}, {"dim": 12}]},
    "nextvlad": {"clusters": 4, "hidden_size": 24},
    "qrnn": {"sizes": [12, 16]},
    "residual_cnn": {"width": 0.06},
    "residual_lstm": {"sizes": [12, 12, 12]},
    "stacked_bilstm": {"sizes": [12, 8]},
    "transformer": {"width": 24, "heads": 4, "dropout": 0.0},
}


def small_options(name: str, **options: Any) -> dict[str, Any]:
    """Options of a small encoder, some of them replaced."""
    return {**SMALL, **OPTIONS.get(name, {}), **options}


def small_encoder(name: str, **options: Any) -> Encoder:
    """The same one at each call, in evaluation mode."""
    torch.manual_seed(0)
    return build_encoder(name, small_options(name, **options)).eval()


def small_model(name: str, head: str = "moe") -> Model:
    """A small encoder with a head for 5 classes, the same one at each call, in training mode."""
    torch.manual_seed(0)
    norm = InputNormConfig(dim=SMALL["input_dim"])
    return build_model(ModelConfig(name, 5, small_options(name), head, input_norm=norm)).train()


def inputs_for(encoder: Encoder, batch: int, frames: int = 7, seed: int = 1) -> tuple[Tensor, ...]:
    """Random (features,) or (frames, num_frames with every length from `frames` down)."""
    generator = torch.Generator().manual_seed(seed)
    if encoder.level == "video":
        return (torch.randn(batch, encoder.input_dim, generator=generator),)
    sequence = torch.randn(batch, frames, encoder.input_dim, generator=generator)
    return sequence, frames - torch.arange(batch) % frames


def model_inputs_for(model: Model, batch: int, seed: int = 1) -> Inputs:
    """The same as a model takes them."""
    first, *rest = inputs_for(model.encoder, batch, seed=seed)
    return (first, rest[0]) if rest else first
