"""Trainings that end when they get no better: what they choose on, what they say, how they go on."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from compress.errors import Interrupted, UsageError
from compress.labels import Labels
from compress.progress import Event, Note, clear_interrupt
from compress.training import TrainConfig, load_model, train
from compress.training.optimizer import branch_factor, main_factor
from compress.training.run import Run
from compress.training.set_aside import LEAST, MOST, set_aside
from tests.training.examples import IDENTITY, RESIDUAL_CNN, contents, interrupt_after, video_table

CONSTANT = replace(IDENTITY, schedule="constant", epochs=60, patience=2, learning_rate=0.1, set_aside=0.1)
TABLES = video_table(150), video_table(40, seed=1)


def numbered(count: int) -> np.ndarray:
    return np.array([f"video{number}".encode() for number in range(count)])


@pytest.mark.parametrize(
    ("videos", "wanted"),
    [
        (0, 0),
        (19, 0),
        (20, 4),
        (100, 20),
        (250, 50),
        (500, 100),
        (4_999, 999),
        (5_000, 500),
        (20_000, 2_000),
        (60_000, MOST),
    ],
)
def test_of_few_a_fifth_is_set_aside_of_more_a_tenth_within_limits(videos: int, wanted: int) -> None:
    assert set_aside(numbered(videos)).sum() == wanted


def test_who_is_set_aside_follows_from_the_ids_alone() -> None:
    ids = numbered(3000)
    order = np.random.default_rng(0).permutation(3000)
    chosen = set_aside(ids)
    assert set(ids[order][set_aside(ids[order])]) == set(ids[chosen])
    assert not set_aside(ids, 0.0).any()
    longer = set(numbered(3300)[set_aside(numbered(3300))])
    assert len(longer & set(ids[chosen])) > 0.95 * chosen.sum(), "most stay where they are as videos come"
    assert len(ids[chosen]) > LEAST


def test_a_constant_rate_rises_and_stays() -> None:
    config = TrainConfig("linear", epochs=5, warmup_steps=4, schedule="constant")
    assert [main_factor(config, step, 10) for step in (0, 1, 3, 4, 49)] == [0.25, 0.5, 1.0, 1.0, 1.0]
    two = replace(config, encoder="residual_cnn", warm_epochs=2, second_peak=0.3)
    assert [branch_factor(two, step, 10) for step in (0, 19, 20, 23, 49)] == [0.0, 0.0, 0.25, 1.0, 1.0]
    assert main_factor(two, 49, 10) == pytest.approx(0.3)


def test_patience_on_the_videos_set_aside_is_convergence(tmp_path: Path) -> None:
    train(CONSTANT, *TABLES, tmp_path / "run")
    _, facts = load_model(tmp_path / "run")
    lines = [json.loads(line) for line in Run(tmp_path / "run").log.read_text().splitlines()]
    gaps = [line["gap"] for line in lines]
    assert facts["converged"] is True
    assert facts["epochs_trained"] == len(lines) < CONSTANT.epochs
    assert facts["epoch"] == int(np.argmax(gaps)) + 1 == len(lines) - CONSTANT.patience
    assert facts["set_aside"]["videos"] == 30 == lines[0]["num_videos"]
    assert facts["set_aside"]["figures"]["gap"] == max(gaps)
    assert facts["figures"]["num_videos"] == 40, "the figures of the model are those of the validation videos"
    assert facts["steps"] == facts["epochs_trained"] * 8, "120 videos in batches of 16"
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["config.json", "log.jsonl", "model"]


def test_the_validation_videos_choose_nothing(tmp_path: Path) -> None:
    table, validation = TABLES
    train(CONSTANT, table, validation, tmp_path / "one")
    train(CONSTANT, table, video_table(30, seed=3), tmp_path / "other")
    one, other = (load_model(tmp_path / name)[0].state_dict() for name in ("one", "other"))
    assert all((one[name] == other[name]).all() for name in one)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_a_training_that_hits_its_limit_says_so_and_goes_on_with_more_epochs(
    tmp_path: Path, share: float
) -> None:
    said: list[str] = []

    def note(event: Event) -> None:
        said.extend([event.text] if isinstance(event, Note) else [])

    config = replace(CONSTANT, set_aside=share)
    short = replace(config, epochs=2)
    train(short, *TABLES, tmp_path / "run", report=note)
    assert said[-1].startswith("not converged: ")
    assert said[-1].endswith("the same command with --epochs 4 goes on")
    assert load_model(tmp_path / "run")[1]["converged"] is False
    train(short, *TABLES, tmp_path / "run", report=note)
    assert said[-1].endswith("already trained")
    train(config, *TABLES, tmp_path / "run", report=note)
    assert load_model(tmp_path / "run")[1]["converged"] is True
    train(config, *TABLES, tmp_path / "whole")
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
    with pytest.raises(UsageError, match="epochs 60 -> 2"):
        train(short, *TABLES, tmp_path / "run")


def test_without_its_last_state_a_training_cannot_go_on(tmp_path: Path) -> None:
    train(replace(CONSTANT, epochs=1), *TABLES, tmp_path / "run")
    Run(tmp_path / "run").limit.rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="cannot go on after epoch 1; use --fresh"):
        train(CONSTANT, *TABLES, tmp_path / "run")


@pytest.mark.parametrize("change", [{"keep": "last"}, {"patience": 0}, {"schedule": "cosine", "patience": 9}])
def test_where_nothing_can_tell_convergence_is_unknown(tmp_path: Path, change: dict) -> None:
    train(replace(CONSTANT, epochs=2, **change), *TABLES, tmp_path / "run")
    facts = load_model(tmp_path / "run")[1]
    assert facts["converged"] is None
    assert (facts["epochs_trained"], facts["set_aside"]["videos"]) == (2, 30), "also where the last is kept"


def test_a_limit_below_the_patience_is_told_as_it_is(tmp_path: Path) -> None:
    told: list[Event] = []
    train(replace(CONSTANT, epochs=1, patience=3), *TABLES, tmp_path / "run", report=told.append)
    notes = [event.text for event in told if isinstance(event, Note)]
    assert any("still rose in the last 1 of 1 epochs" in note for note in notes), notes


def test_an_epoch_of_few_videos_has_the_least_steps(tmp_path: Path) -> None:
    config = replace(CONSTANT, epochs=2, least_steps=30)
    train(config, *TABLES, tmp_path / "run")
    assert load_model(tmp_path / "run")[1]["steps"] == 2 * 30, "120 videos, four times each, in batches of 16"


REFIT = replace(CONSTANT, refit=True, epochs=12)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_model(run)[0].state_dict()


def assert_equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def test_a_refit_is_a_plain_training_as_long_as_the_best_epoch_says(tmp_path: Path) -> None:
    train(REFIT, *TABLES, tmp_path / "run")
    facts = load_model(tmp_path / "run")[1]
    best = facts["set_aside"]["epoch"]
    plain = replace(REFIT, schedule="cosine", epochs=best, keep="last", refit=False)
    train(plain, *TABLES, tmp_path / "plain")
    assert_equal(weights(tmp_path / "run"), weights(tmp_path / "plain"))
    assert facts["figures"] == load_model(tmp_path / "plain")[1]["figures"]
    assert facts["train_config"] == REFIT.to_json()
    lines = [json.loads(line) for line in Run(tmp_path / "run").log.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, facts["epochs_trained"] + 1))
    assert ["gap" in line for line in lines].count(False) == best, "in a refit nothing is chosen"
    assert (facts["epoch"], facts["epochs_trained"]) == (best, len(lines))
    assert facts["steps"] == len(lines) * 8


@pytest.mark.parametrize(
    "plan", [{}, {"refit": False}, {"schedule": "cosine", "keep": "last", "refit": False}]
)
def test_labels_of_videos_that_are_set_aside_are_never_learned(tmp_path: Path, plan: dict) -> None:
    """Judges choose their settings on these videos; where nothing is chosen, their labels change nothing."""
    table, validation = TABLES
    labels = table.labels.multi_hot().copy()
    aside = set_aside(table.ids)
    labels[aside] = labels[np.flatnonzero(aside)[::-1]]
    assert (labels != table.labels.multi_hot()).any()
    other = replace(table, labels=Labels.from_multi_hot(labels))
    # One epoch, so that the choice of an epoch has nothing to choose from.
    config = replace(REFIT, **{"epochs": 1, **plan})
    for name, training in (("run", table), ("other", other)):
        train(config, training, validation, tmp_path / name)
    assert_equal(weights(tmp_path / "run"), weights(tmp_path / "other"))


def test_the_branch_is_trained_in_the_refit_alone(tmp_path: Path) -> None:
    config = replace(RESIDUAL_CNN, schedule="constant", refit=True, set_aside=0.1, patience=1, epochs=4)
    train(replace(config, warm_epochs=3, branch_epochs=1), *TABLES, tmp_path / "run")
    facts = load_model(tmp_path / "run")[1]
    best = facts["set_aside"]["epoch"]
    plain = {"schedule": "cosine", "epochs": best + 1, "warm_epochs": best, "keep": "last"}
    train(replace(config, **plain, refit=False), *TABLES, tmp_path / "plain")
    assert_equal(weights(tmp_path / "run"), weights(tmp_path / "plain"))


@pytest.mark.parametrize("more", [False, True])
def test_a_refit_that_is_stopped_anywhere_ends_the_same_also_with_a_higher_limit(
    tmp_path: Path, more: bool
) -> None:
    config = replace(REFIT, patience=1)
    train(config, *TABLES, tmp_path / "whole")
    total = load_model(tmp_path / "whole")[1]["steps"]
    run, first = tmp_path / "run", replace(config, epochs=2 if more else config.epochs)
    for steps in (11, 6, 9):
        with pytest.raises(Interrupted):
            train(first, *TABLES, run, report=interrupt_after(steps))
        clear_interrupt()
    if more:  # the last stop was in the refit of two epochs
        train(config, *TABLES, run, report=interrupt_after(total))
    train(config, *TABLES, run)
    assert contents(run) == contents(tmp_path / "whole")


def test_a_limit_ends_in_a_refit_and_more_epochs_go_on_from_before_it(tmp_path: Path) -> None:
    whole = replace(REFIT, epochs=40, patience=1)
    train(replace(whole, epochs=2), *TABLES, tmp_path / "run")
    facts = load_model(tmp_path / "run")[1]
    assert (facts["converged"], facts["set_aside"]["epoch"], facts["epochs_trained"]) == (False, 2, 4)
    for config in (replace(whole, epochs=4), whole):
        train(config, *TABLES, tmp_path / "run")
    train(whole, *TABLES, tmp_path / "whole")
    assert load_model(tmp_path / "run")[1]["converged"] is True
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
