"""How good a smaller model is with its own head, as training measures an epoch."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from compress.training.device.settings import device_settings
from compress.training.inputs import Table
from compress.training.precision import Precision
from compress.training.validate import accumulate_prefixes
from encoders import Model


def measured_figures(model: Model, validation: Table, precision: Precision, device: str) -> dict[str, Any]:
    """{"figures"}, and with nested dims {"figures_by_dim"}, as the metadata of a model has them.

    Args:
        model: with a head; it is on the device when this returns.
        validation: labelled videos.
        precision: of its training.
        device: "cpu" or "cuda".

    Raises:
        RecordError: a score is not a number.
        Interrupted: on request.
    """
    with device_settings(device, precision):
        by_dim = accumulate_prefixes(model.to(device), validation, precision=precision)
    figures = {dim: asdict(metrics.figures()) for dim, metrics in by_dim.items()}
    nested = {"figures_by_dim": {str(dim): its for dim, its in figures.items()}}
    return {"figures": figures[model.dim], **(nested if len(figures) > 1 else {})}
