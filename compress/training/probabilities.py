"""Scores of a model that is measured: the same numbers wherever they are computed."""

from __future__ import annotations

import torch
from torch import Tensor

from compress.metrics import TopScores, top_of_batch
from compress.training.device.settings import device_settings
from compress.training.device.top import top_scores
from compress.training.precision import Precision
from encoders import Blended, Inputs, Model

# A head reads its weights once a batch, so it wants many videos; a convolution wants few, that stay in the
# caches, and its memory grows with them.
EMBEDDED_AT_ONCE = 32


@torch.inference_mode()
def probabilities(model: torch.nn.Module, inputs: Inputs, precision: Precision) -> Tensor:
    """The probability of each class, float32 (B, C), on the device of the inputs.

    Args:
        model: inputs -> log-odds (B, C), in evaluation mode, a Model or any other.
        inputs: what it reads.
        precision: "fp32", or "bf16" for autocast.
    """
    return torch.sigmoid(log_odds(model, inputs, precision))


def log_odds(model: torch.nn.Module, inputs: Inputs, precision: Precision) -> Tensor:
    """The log-odds of each class, float32 (B, C); as `probabilities`, gradients are the caller's choice."""
    device = _device(inputs)
    # The settings are the process's, but a GPU has one worker; the members of a mean may differ in precision.
    with (
        device_settings(device, precision),
        torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"),
    ):
        return _log_odds(model, inputs).float()


@torch.inference_mode()
def prefix_probabilities(model: Model, inputs: Inputs, precision: Precision) -> list[Tensor]:
    """As `probabilities`, of each size in `model.dims`; videos are embedded once."""
    device = _device(inputs)
    with (
        device_settings(device, precision),
        torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"),
    ):
        embedding = _embedded(model, inputs)
        return [torch.sigmoid(model.logits(embedding, dim).float()) for dim in model.dims]


def top_of(scores: Tensor, labels: Tensor, k: int) -> TopScores:
    """What the metrics keep of a batch, found where the scores are: a GPU sends k numbers a video, not all.

    Args:
        scores: float32 (B, C) probabilities, no NaN.
        labels: bool (B, C), on the same device.
        k: scores kept a video.

    Raises:
        RecordError: a score is NaN.
    """
    if scores.device.type == "cpu":
        return top_of_batch(scores.numpy(), labels.numpy(), k)
    return top_scores(scores, labels, k)


def _device(inputs: Inputs) -> str:
    return (inputs if isinstance(inputs, Tensor | Blended) else inputs[0]).device.type


def _log_odds(model: torch.nn.Module, inputs: Inputs) -> Tensor:
    if isinstance(model, Model):
        return model.logits(_embedded(model, inputs))
    result: Tensor = model(inputs)
    return result


def _embedded(model: Model, inputs: Inputs) -> Tensor:
    if not isinstance(inputs, Tensor) or inputs.device.type != "cpu":
        return model.embed(inputs)
    return torch.cat([model.embed(rows) for rows in torch.split(inputs, EMBEDDED_AT_ONCE)])
