"""Scoring by several workers: the same top scores to the bit, errors as themselves, and a stop in between."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch

from compress.errors import Interrupted, RecordError
from compress.metrics import TopScores, top_of_batch
from compress.progress import request_interrupt
from compress.training import TrainConfig
from compress.training.inputs import Table
from compress.training.new_model import new_model
from compress.training.scoring import accumulate, probabilities, top_of
from encoders import Model
from tests.training.examples import CLASSES, IDENTITY, LINEAR, LSTM, RESIDUAL_CNN, frame_table, video_table

RECIPES = [LINEAR, RESIDUAL_CNN, LSTM, IDENTITY]
WORKERS = [0, 1, 2, 4]


def made(config: TrainConfig) -> tuple[Model, Table]:
    torch.manual_seed(1)
    table: Table = frame_table(50) if config.encoder == "lstm" else video_table(50)
    return new_model(config, table), table


def bits(top: TopScores) -> dict[str, bytes]:
    return {name: np.ascontiguousarray(value).tobytes() for name, value in vars(top).items()}


@pytest.mark.parametrize("config", RECIPES, ids=lambda config: config.encoder)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_top_scores_do_not_depend_on_the_number_of_workers(config: TrainConfig, precision: Any):
    model, table = made(config)
    found = [accumulate(model, table, precision=precision, rows=7, workers=n).top() for n in WORKERS]
    for top in found[1:]:
        assert bits(top) == bits(found[0])


@pytest.mark.parametrize("threads", [1, 2])
def test_nor_on_the_threads_of_torch(threads: int):
    model, table = made(LINEAR)
    wanted = bits(accumulate(model, table, rows=7).top())
    torch.set_num_threads(threads)
    assert bits(accumulate(model, table, rows=7).top()) == wanted
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("workers", WORKERS)
def test_a_score_that_is_no_number_is_refused(workers: int):
    model, table = made(LINEAR)
    with torch.no_grad():
        next(iter(model.head.parameters()))[:] = float("nan")  # type: ignore[union-attr]
    with pytest.raises(RecordError):
        accumulate(model, table, rows=7, workers=workers)
    assert threading.active_count() == 1


@pytest.mark.parametrize("workers", WORKERS)
def test_a_stop_is_followed_between_two_batches(workers: int):
    model, table = made(LINEAR)
    request_interrupt(2)
    with pytest.raises(Interrupted):
        accumulate(model, table, rows=7, workers=workers)
    assert threading.active_count() == 1


def test_a_stop_after_the_last_batch_comes_too_late_to_lose_anything():
    model, table = made(LINEAR)
    request_interrupt(2)
    assert len(accumulate(model, table, rows=50)) == 50


@pytest.mark.parametrize("config", RECIPES, ids=lambda config: config.encoder)
def test_embedding_a_few_at_a_time_gives_the_probabilities_of_all_at_once(config: TrainConfig, monkeypatch):
    monkeypatch.setattr("compress.training.scoring.EMBEDDED_AT_ONCE", 8)
    model, table = made(config)
    model.eval()
    *arrays, _ = (torch.from_numpy(array) for array in table.batch(np.arange(50)))
    inputs = arrays[0] if len(arrays) == 1 else (arrays[0], arrays[1])
    with torch.no_grad():
        wanted = torch.sigmoid(model(inputs))
    torch.testing.assert_close(probabilities(model, inputs, "fp32"), wanted, rtol=0, atol=1e-6)


def test_the_top_of_scores_on_the_cpu_is_that_of_the_metrics():
    random = np.random.default_rng(0)
    scores = random.random((9, CLASSES), dtype=np.float32)
    labels = random.random((9, CLASSES)) < 0.2
    found = top_of(torch.from_numpy(scores), torch.from_numpy(labels), 5)
    assert bits(found) == bits(top_of_batch(scores, labels, 5))
