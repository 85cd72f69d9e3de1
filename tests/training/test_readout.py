"""The weight of the linear readout, by reduced-rank regression."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from compress.datasets.schema import FeatureSchema
from compress.datasets.table import VideoTable
from compress.errors import UsageError
from compress.labels import Labels
from compress.training.config import TrainConfig
from compress.training.loop import train
from compress.training.new_model import new_model
from compress.training.readout import readout_weight
from compress.training.run import load_model
from encoders import InputNorm, InputNormConfig

VIDEOS, SIZE, CLASSES = 400, 6, 9


def videos(seed: int = 0) -> VideoTable:
    """Labels of each video follow two directions of its features."""
    draws = np.random.default_rng(seed)
    features = draws.normal(size=(VIDEOS, SIZE)).astype(np.float32)
    score = features[:, :2] @ np.random.default_rng(1).normal(size=(2, CLASSES))
    hot = score + draws.normal(size=score.shape) > 1.5
    indptr = np.concatenate([[0], np.cumsum(hot.sum(1))])
    labels = Labels(indptr, np.nonzero(hot)[1].astype(np.int32), CLASSES)
    ids = np.array([f"{seed}-{number:04d}".encode() for number in range(VIDEOS)])
    return VideoTable(ids, features, labels, FeatureSchema("video", ("x",), (SIZE,), CLASSES, "id"))


def fitted(table: VideoTable) -> np.ndarray:
    """Centred fitted values of least squares, the slow way."""
    features, hot = table.batch(np.arange(len(table)))
    x, y = features - features.mean(0), hot - hot.mean(0)
    return np.asarray(x @ np.linalg.lstsq(x, y, rcond=None)[0])


@pytest.mark.parametrize("dim", [2, 4, SIZE, 8])
def test_the_weight_spans_the_best_directions_of_the_fitted_values(dim: int) -> None:
    table = videos()
    weight = readout_weight(InputNorm(InputNormConfig(SIZE, "none")), table, dim).numpy()
    values = fitted(table)
    _, strength, right = np.linalg.svd(values, full_matrices=False)
    kept = min(dim, SIZE)
    wanted = (right[:kept].T * strength[:kept] ** 2) @ right[:kept] / VIDEOS
    np.testing.assert_allclose(weight @ weight.T, wanted, atol=2e-4)
    assert not weight[:, SIZE:].any()


def config(**settings: float) -> TrainConfig:
    options = {"dim": 3}
    chosen = {"epochs": 3, "readout_weight": 2.0, "precision": "fp32", **settings}
    return TrainConfig("linear", options, head="logistic", batch_size=50, **chosen)  # type: ignore[arg-type]


def test_a_run_with_a_readout_is_trained_and_keeps_it(tmp_path: Path) -> None:
    table = videos()
    before = new_model(config(), table).readout
    train(config(), table, videos(2), tmp_path / "run")
    model, facts = load_model(tmp_path / "run")
    assert before is not None
    assert model.readout is not None
    assert torch.equal(model.readout.weight, before.weight)
    assert model.readout.gain != 1
    assert facts["parameters"]["readout"] == 1 + CLASSES


def test_a_readout_and_a_temperature_are_refused() -> None:
    with pytest.raises(UsageError, match="temperature must be 1 with readout_weight"):
        config(temperature=2.0)
