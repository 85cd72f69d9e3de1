"""How good a model is on labelled videos, and top scores found on a device, as on the host to the bit."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch

from compress.errors import Interrupted, RecordError, SchemaError, UsageError
from compress.metrics import MetricAccumulator, TopScores, top_of_batch
from compress.progress import request_interrupt
from compress.training import TrainConfig
from compress.training.inputs import Table
from compress.training.new_model import new_model
from compress.training.scoring import accumulate, probabilities, top_of, top_scores
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
    before = threading.active_count()  # other tests may have left some
    with pytest.raises(RecordError):
        accumulate(model, table, rows=7, workers=workers)
    assert threading.active_count() == before


@pytest.mark.parametrize("workers", WORKERS)
def test_a_stop_is_followed_between_two_batches(workers: int):
    model, table = made(LINEAR)
    before = threading.active_count()
    request_interrupt(2)
    with pytest.raises(Interrupted):
        accumulate(model, table, rows=7, workers=workers)
    assert threading.active_count() == before


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


def assert_same(scores: np.ndarray, labels: np.ndarray, k: int = 20) -> None:
    found = top_scores(torch.from_numpy(scores), torch.from_numpy(labels), k).to_arrays()
    for name, wanted in top_of_batch(scores, labels, k).to_arrays().items():
        ours, theirs = found[name], wanted.astype(found[name].dtype)
        assert ours.shape == theirs.shape
        assert ours.tobytes() == theirs.tobytes(), name


def example(videos: int, classes: int, seed: int, share: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.random((videos, classes), dtype=np.float32), random.random((videos, classes)) < share


@pytest.mark.parametrize("classes", [1, 5, 19, 20, 21, 300])
@pytest.mark.parametrize("k", [1, 3, 20])
def test_it_is_what_the_accumulator_keeps(classes: int, k: int) -> None:
    assert_same(*example(30, classes, classes), k)


@pytest.mark.parametrize("levels", [1, 2, 3, 10, 100])
def test_ties_inside_the_top_and_across_its_end_go_to_the_smaller_class(levels: int) -> None:
    scores, labels = example(50, 120, levels)
    assert_same(np.floor(scores * levels).astype(np.float32) / levels, labels)


def test_scores_in_bfloat16_tie_often() -> None:
    scores, labels = example(100, 400, 0)
    assert_same(torch.from_numpy(scores).bfloat16().float().numpy(), labels)


def test_any_range_of_scores_infinities_and_both_zeros() -> None:
    random = np.random.default_rng(0)
    values = np.float32([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 1e-45, -1e-45, 3e38, 1e-8])
    scores, labels = random.choice(values, (200, 60)), random.random((200, 60)) < 0.1
    assert_same(scores, labels)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_videos_with_more_labels_than_scores_kept_and_with_none(share: float) -> None:
    scores, labels = example(40, 80, 1, share)
    labels[::7] = False
    assert_same(scores, labels)


def test_no_videos() -> None:
    assert_same(np.zeros((0, 30), np.float32), np.zeros((0, 30), np.bool_))


def test_the_accumulator_takes_it_in() -> None:
    scores, labels = example(60, 200, 3)
    ours, theirs = MetricAccumulator(200), MetricAccumulator(200)
    theirs.update(scores, labels)
    for part in (slice(0, 25), slice(25, 60)):
        ours.append(top_scores(torch.from_numpy(scores[part]), torch.from_numpy(labels[part])))
    assert ours.figures() == theirs.figures()


def test_a_score_that_is_no_number_is_named() -> None:
    scores, labels = example(5, 30, 0)
    scores[3, 7] = np.nan
    with pytest.raises(RecordError, match="NaN") as caught:
        top_scores(torch.from_numpy(scores), torch.from_numpy(labels))
    assert "video 3 of the batch, class 7" in str(caught.value)


@pytest.mark.parametrize(
    ("scores", "labels"),
    [
        (torch.zeros(2, 3).double(), torch.zeros(2, 3).bool()),
        (torch.zeros(2, 3), torch.zeros(2, 3)),
        (torch.zeros(2, 3), torch.zeros(2, 4).bool()),
        (torch.zeros(3), torch.zeros(3).bool()),
        (torch.zeros(2, 0), torch.zeros(2, 0).bool()),
    ],
)
def test_other_shapes_and_types_are_refused(scores: torch.Tensor, labels: torch.Tensor) -> None:
    with pytest.raises(SchemaError):
        top_scores(scores, labels)


def test_no_scores_kept_is_refused() -> None:
    with pytest.raises(UsageError, match="k is 0"):
        top_scores(torch.zeros(2, 3), torch.zeros(2, 3).bool(), 0)
