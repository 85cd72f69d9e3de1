"""What one file of evaluation/models/ says: a trained model, or several that vote, with their own heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compress.reports.row import Data, Figures


@dataclass(frozen=True)
class ModelTraining:
    """How a run was trained; `videos` is how many it learned from, `seconds` None where nobody counted."""

    epochs: int
    best_epoch: int
    videos: int
    seconds: float | None
    seed: int


@dataclass(frozen=True)
class ModelRow:
    """One measured model. `runs`: more than one in an ensemble, which has neither `dim` nor `training`.

    `model_bytes`: of all its files of weights; None where nobody looked.
    """

    name: str
    runs: tuple[str, ...]
    title: str
    encoders: tuple[str, ...]
    head: str
    level: str
    dim: int | None
    parameters: Mapping[str, int]
    figures: Figures
    training: ModelTraining | None
    data: Data
    model_sha256: tuple[str, ...]
    command: str
    notes: tuple[str, ...]
    model_bytes: int | None = None
