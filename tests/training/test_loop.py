"""What the loop learns, keeps, logs, and when it stops."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.errors import DivergedError
from compress.metrics import METRICS, Figures, MetricAccumulator
from compress.progress import Event, Note, Progress
from compress.training import TrainConfig, load_model, train
from compress.training.run import Run
from compress.training.scoring import accumulate
from encoders import Model
from tests.training.examples import CLASSES, IDENTITY, LINEAR, RESIDUAL_CNN, frame_table, tables, video_table

FIGURES = (*(metric.name for metric in METRICS), "num_videos", "num_classes_with_labels")


def log_of(run: Path) -> list[dict]:
    return [json.loads(line) for line in Run(run).log.read_text().splitlines()]


@dataclass
class Scripted:
    """Stands in for validation: gives the GAPs in turn, and keeps the weights that each was asked for."""

    gaps: list[float]
    weights: list[dict[str, torch.Tensor]]

    def __call__(self, model: Model, *arguments: object, **options: object) -> dict[int, Scripted]:
        self.weights.append({name: value.clone() for name, value in model.state_dict().items()})
        return {model.dim: self}

    def figures(self) -> Figures:
        return Figures({"gap": self.gaps[len(self.weights) - 1], "map": 0.0}, 1, 1)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    stand_in = Scripted([], [])
    monkeypatch.setattr("compress.training.scoring.accumulate_prefixes", stand_in)
    return stand_in


def run_of(config: TrainConfig, tmp_path: Path) -> Path:
    return train(config, *tables(config), tmp_path / "run").run


@pytest.mark.parametrize(
    ("gaps", "patience", "epochs", "best"),
    [
        ([0.1, 0.5, 0.4, 0.3, 0.9], 2, 4, 2),
        ([0.1, 0.5, 0.4, 0.6, 0.3], 2, 5, 4),
        ([0.5, 0.5, 0.5, 0.9, 0.9], 2, 3, 1),
        ([0.5, 0.4, 0.3, 0.2, 0.1], 0, 5, 1),
        ([0.1, 0.2, 0.3, 0.4, 0.5], 1, 5, 5),
        ([0.0, 0.0, 0.0, 0.0, 0.0], 4, 5, 1),
    ],
)
def test_patience_ends_a_training_that_gets_no_better(
    tmp_path: Path, scripted: Scripted, gaps: list[float], patience: int, epochs: int, best: int
) -> None:
    scripted.gaps = gaps
    run = run_of(replace(IDENTITY, epochs=5, patience=patience), tmp_path)
    assert [line["epoch"] for line in log_of(run)] == list(range(1, epochs + 1))
    assert load_model(run)[1]["epoch"] == best


def test_patience_starts_when_the_branch_is_on(tmp_path: Path, scripted: Scripted) -> None:
    scripted.gaps = [0.9, 0.1, 0.1, 0.1, 0.1, 0.1]
    run = run_of(replace(RESIDUAL_CNN, epochs=6, warm_epochs=3, patience=1), tmp_path)
    assert len(log_of(run)) == 4


def test_the_model_that_is_kept_is_the_average_of_the_best_epoch(tmp_path: Path, scripted: Scripted) -> None:
    scripted.gaps = [0.2, 0.7, 0.3]
    model, metadata = load_model(run_of(LINEAR, tmp_path))
    assert metadata["epoch"] == 2
    assert metadata["figures"]["gap"] == 0.7
    for name, value in model.state_dict().items():
        assert torch.equal(value, scripted.weights[1][name]), name


def test_keep_last_keeps_the_last_epoch_and_never_stops_early(tmp_path: Path, scripted: Scripted) -> None:
    scripted.gaps = [0.7, 0.3, 0.2, 0.1, 0.0]
    result = train(replace(IDENTITY, epochs=5, keep="last", patience=1), *tables(IDENTITY), tmp_path / "run")
    assert (result.best_epoch, result.figures["gap"]) == (5, 0.0)
    weights = load_model(tmp_path / "run")[0].state_dict()
    assert all(torch.equal(weights[name], value) for name, value in scripted.weights[-1].items())


def test_each_epoch_is_one_line_with_loss_and_figures(tmp_path: Path) -> None:
    events: list[Event] = []
    train(LINEAR, *tables(LINEAR), tmp_path / "run", report=events.append)
    lines = log_of(tmp_path / "run")
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert all(set(line) == {"epoch", "loss", "cpu_seconds", *FIGURES, "seal"} for line in lines)
    last_of_epoch = [e for e in events if isinstance(e, Progress) and e.done == e.total]
    assert [event.figures["loss"] for event in last_of_epoch] == [line["loss"] for line in lines]
    assert [event.stage for event in last_of_epoch] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    notes = [event.text for event in events if isinstance(event, Note)]
    assert all(event.passing for event in events if isinstance(event, Note))
    assert [note.split(":")[0] for note in notes[1:]] == ["epoch 1", "epoch 2", "epoch 3"]


def test_the_loss_of_an_epoch_is_the_mean_over_its_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 40 videos in batches of 16, 16 and 8.
    losses = iter([1.0, 2.0, 6.0])
    monkeypatch.setattr("compress.training.loop.step", lambda *arguments: torch.tensor(next(losses)))
    run = run_of(replace(IDENTITY, epochs=1), tmp_path)
    assert log_of(run)[0]["loss"] == pytest.approx((16 * 1 + 16 * 2 + 8 * 6) / 40)


def test_the_kept_model_scores_again_what_was_logged(tmp_path: Path) -> None:
    train_videos, validation = tables(LINEAR)
    result = train(LINEAR, train_videos, validation, tmp_path / "run")
    model, _ = load_model(tmp_path / "run")
    assert accumulate(model, validation, precision=LINEAR.precision).figures().to_json() == result.figures


@pytest.mark.parametrize("level", ["video", "frame"])
def test_how_validation_is_cut_into_batches_changes_nothing(level: str) -> None:
    table = video_table(30) if level == "video" else frame_table(30)
    scorer = _MeanScores()
    whole, parts = accumulate(scorer, table), accumulate(scorer, table, rows=7)
    assert whole.figures() == parts.figures()
    assert len(parts) == 30


class _MeanScores(torch.nn.Module):
    """Logits of a fixed linear map of the (mean of the valid) inputs."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.nn.Parameter(torch.randn(16, CLASSES, generator=generator))

    def forward(self, inputs: torch.Tensor | tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        if isinstance(inputs, tuple):
            inputs = inputs[0].float().sum(1) / inputs[1][:, None]
        return (inputs[:, :, None] * self.weight).sum(1)


def prior_gap(labels: np.ndarray, validation: np.ndarray) -> float:
    metrics = MetricAccumulator(CLASSES)
    metrics.update(np.tile(labels.mean(0, dtype=np.float32), (len(validation), 1)), validation)
    return metrics.figures().gap


@pytest.mark.parametrize(
    "config",
    [
        replace(LINEAR, epochs=12, learning_rate=0.02),
        replace(
            RESIDUAL_CNN,
            encoder_options={**RESIDUAL_CNN.encoder_options, "width": 0.05, "embedding_dropout": 0.1},
            epochs=12,
            warm_epochs=8,
            learning_rate=0.02,
            input_dropout=0.0,
        ),
        TrainConfig("lstm", {"dim": 12, "sizes": [12]}, epochs=10, batch_size=16, learning_rate=0.03),
        replace(IDENTITY, head="moe", epochs=12, learning_rate=0.02),
    ],
    ids=lambda config: config.encoder,
)
def test_a_training_learns_far_more_than_the_frequencies_of_the_labels(
    tmp_path: Path, config: TrainConfig
) -> None:
    make = frame_table if config.encoder == "lstm" else video_table
    table, validation = make(300), make(100, seed=1)
    config = replace(config, warmup_steps=5, ema=0.9)
    gap = train(config, table, validation, tmp_path / "run").figures["gap"]
    prior = prior_gap(table.labels.multi_hot(), validation.labels.multi_hot())
    assert 0.3 < prior < 0.5
    assert gap > prior + 0.3


def test_a_head_that_starts_from_the_priors_starts_at_their_loss(tmp_path: Path) -> None:
    losses: list[float] = []

    def first_loss(event: Event) -> None:
        if isinstance(event, Progress):
            losses.append(event.figures["loss"])

    for class_priors in (True, False):
        config = replace(IDENTITY, head="moe", epochs=1, batch_size=40, class_priors=class_priors)
        train(config, *tables(config), tmp_path / str(class_priors), report=first_loss)
    labels = tables(IDENTITY)[0].labels.multi_hot()
    chances = (labels.sum(0) + 0.5) / (len(labels) + 1)
    entropy = -(chances * np.log(chances) + (1 - chances) * np.log(1 - chances)).sum()
    with_priors, without = losses
    assert abs(with_priors - entropy) < 2.0
    assert with_priors < without


def test_an_absurd_learning_rate_is_a_diverged_training(tmp_path: Path) -> None:
    config = replace(LINEAR, learning_rate=1e38, ema=0.0)
    with pytest.raises(DivergedError, match="lower --learning-rate") as caught:
        train(config, *tables(config), tmp_path / "run")
    assert caught.value.exit_code == 71


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_ends_the_training_before_anything_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    def loss(model: torch.nn.Module, *arguments: object) -> torch.Tensor:
        return sum(parameter.sum() for parameter in model.parameters()) * value

    monkeypatch.setattr("encoders.Model.loss", loss)
    with pytest.raises(DivergedError, match="at step 1"):
        run_of(IDENTITY, tmp_path)
    assert not Run(tmp_path / "run").checkpoint.exists()


def test_weights_that_break_at_the_last_step_of_an_epoch_are_a_diverged_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_weights(config: object, state: object, *arguments: object) -> torch.Tensor:
        with torch.no_grad():
            state.model.head.weight.fill_(math.nan)
        return torch.tensor(1.0)

    monkeypatch.setattr("compress.training.loop.step", break_weights)
    with pytest.raises(DivergedError, match="not finite after epoch 1"):
        run_of(IDENTITY, tmp_path)
