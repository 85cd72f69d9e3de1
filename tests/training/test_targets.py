"""What a recipe makes of a batch's labels, and trainings that use it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from compress.errors import Interrupted, UsageError
from compress.progress import clear_interrupt
from compress.training import TrainConfig, train
from compress.training.objective import criterion_of, smoothed, targets_of
from compress.training.recipes import train_config
from encoders import Asymmetric, ClassWeighted, cross_entropy
from tests.training.examples import LINEAR, LSTM, contents, interrupt_after, tables, video_table

CHANGES = {
    "mixup": {"mixup": 0.4},
    "smoothing": {"label_smoothing": 0.1},
    "both": {"mixup": 0.4, "label_smoothing": 0.1},
    "asymmetric": {"class_loss": "asymmetric", "gamma_positive": 1.0, "gamma_negative": 2.0},
    "class_balanced": {"class_loss": "class_balanced", "class_balance": 0.9},
}
every_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


def test_a_recipe_that_wants_nothing_leaves_inputs_and_labels_as_they_are() -> None:
    features, labels = torch.randn(4, 3), torch.rand(4, 12) < 0.3
    inputs, targets = targets_of(LINEAR, video_table(), "cpu")(0, features, labels)
    assert inputs is features
    assert targets is labels
    assert criterion_of(LINEAR, video_table(), "cpu") is cross_entropy


def test_smoothed_labels_keep_the_class_frequencies() -> None:
    table = video_table()
    labels = torch.from_numpy(table.labels.multi_hot())
    config = replace(LINEAR, label_smoothing=0.3)
    _, targets = targets_of(config, table, "cpu")(0, torch.zeros(len(table), 16), labels)
    torch.testing.assert_close(targets.mean(0), labels.float().mean(0))
    torch.testing.assert_close(targets, 0.7 * labels + 0.3 * labels.float().mean(0))


def test_smoothing_takes_soft_targets_too() -> None:
    targets = smoothed(torch.tensor([[0.5, 1.0]]), torch.tensor([0.1, 0.2]), 0.5)
    torch.testing.assert_close(targets, torch.tensor([[0.3, 0.6]]))


def test_the_criterion_is_the_one_that_the_recipe_names() -> None:
    table = video_table()
    asymmetric = replace(LINEAR, class_loss="asymmetric", gamma_negative=2.0, margin=0.1)
    assert criterion_of(asymmetric, table, "cpu") == Asymmetric(0.0, 2.0, 0.1)
    balanced = criterion_of(replace(LINEAR, class_loss="class_balanced"), table, "cpu")
    assert isinstance(balanced, ClassWeighted)
    counts = table.labels.class_counts()
    assert balanced.weights[counts.argmax()] < balanced.weights[counts.argmin()]


@every_change
@pytest.mark.parametrize("config", [LINEAR, LSTM], ids=lambda config: config.encoder)
def test_a_training_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, config: TrainConfig, change: dict
) -> None:
    config = replace(config, **change)
    train(config, *tables(config), tmp_path / "whole")
    for steps in (2, 3):
        with pytest.raises(Interrupted):
            train(config, *tables(config), tmp_path / "stopped", report=interrupt_after(steps))
        clear_interrupt()
    train(config, *tables(config), tmp_path / "stopped")
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")


@every_change
def test_a_run_with_another_recipe_is_not_continued(tmp_path: Path, change: dict) -> None:
    config = replace(LINEAR, epochs=1)
    train(config, *tables(config), tmp_path / "run")
    with pytest.raises(UsageError, match=f"holds a run with other settings .*{next(iter(change))}"):
        train(replace(config, **change), *tables(config), tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mixup": -0.1}, "mixup must be a number, at least 0"),
        ({"mixup": "0.2"}, "mixup must be a number"),
        ({"label_smoothing": 1.0}, "label_smoothing must be a number, at least 0, below 1"),
        ({"class_loss": "focal"}, "class_loss must be one of cross_entropy, asymmetric, class_balanced"),
        ({"gamma_negative": 0.5}, "gamma_negative must be 0 or at least 1"),
        ({"margin": 1.0}, "margin must be a number, at least 0, below 1"),
        ({"class_balance": 1}, "class_balance must be a number, at least 0, below 1"),
    ],
)
def test_values_out_of_range_are_refused(change: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        replace(LINEAR, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gamma_negative": 2.0}, "gamma_negative needs class_loss=asymmetric, and class_loss is cross_entr"),
        ({"margin": 0.1, "class_loss": "class_balanced"}, "margin needs class_loss=asymmetric"),
        ({"class_balance": 0.9}, "class_balance needs class_loss=class_balanced"),
        ({"temperature": 2.0}, "temperature is about teachers, and there are none.*--teacher"),
        ({"distill_weight": 0.9}, "distill_weight is about teachers"),
        ({"teacher_scores": "kept"}, "teacher_scores is about teachers"),
    ],
)
def test_a_setting_that_would_do_nothing_is_refused(change: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train_config("linear", 8, "best", change)


@pytest.mark.parametrize(
    "change",
    [
        {"class_loss": "asymmetric", "gamma_negative": 2.0, "margin": 0.1},
        {"class_balance": 0.9, "class_loss": "class_balanced"},
        {"teachers": ["one"], "temperature": 2.0, "unlabelled_ratio": 2.0},
    ],
)
def test_with_what_it_is_of_it_is_taken(change: dict) -> None:
    config = train_config("linear", 8, "best", change)
    assert all(getattr(config, name) == value for name, value in change.items() if name != "teachers")
