"""Two small finished runs that teach, and recipes that learn from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from compress.training import TrainConfig, train
from compress.training.distillation import Distillation
from compress.training.teachers import Teachers, load_teachers
from tests.training.examples import IDENTITY, LINEAR, LSTM, tables

NAMES = ("knows-all", "knows-less")
FRAME_NAMES = ("watched",)


def make_teachers(folder: Path) -> None:
    """Train them; `knows-all` reads all features, `watched` reads frames."""
    for name, config in zip((*NAMES, *FRAME_NAMES), (IDENTITY, replace(LINEAR, seed=3), LSTM), strict=True):
        train(config, *tables(config), folder / name)


def teachers(folder: Path, names: tuple[str, ...] = NAMES) -> Teachers:
    return load_teachers([folder / name for name in names], "cpu")


def student(config: TrainConfig = LINEAR, **changes: object) -> TrainConfig:
    names = FRAME_NAMES if config.encoder == "lstm" else NAMES
    return replace(config, teachers=names, **changes)


def distillation(folder: Path, config: TrainConfig, **changes: object) -> Distillation:
    return replace(Distillation(teachers(folder, config.teachers), None, folder / "cache"), **changes)
