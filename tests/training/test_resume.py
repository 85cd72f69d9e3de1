"""A training that was stopped and continued ends exactly as one that was not."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from compress.artifacts.folder import commit_folder, read_folder
from compress.errors import Interrupted
from compress.progress import Note, clear_interrupt, request_interrupt
from compress.training import TrainConfig, train
from compress.training.run import Run
from tests.training.examples import (
    LINEAR,
    LSTM,
    RESIDUAL_CNN,
    contents,
    interrupt_after,
    tables,
    without_times,
)

STEPS = 9  # each of the recipes has three epochs of three steps
RECIPES = [LINEAR, RESIDUAL_CNN, LSTM]


def stop_after(config: TrainConfig, run: Path, steps: int) -> None:
    with pytest.raises(Interrupted):
        train(config, *tables(config), run, report=interrupt_after(steps))
    clear_interrupt()


def kept(run: Path) -> dict[str, object]:
    """What a checkpoint holds (weights, average, optimizer, random state: sha256; counters), and the log."""
    manifest = read_folder(Run(run).checkpoint, "checkpoint")
    hashes = {name: file.sha256 for name, file in manifest.files.items()}
    at = {name: value for name, value in manifest.metadata["at"].items() if name != "cpu_seconds"}
    log = Run(run).log
    return {**hashes, "at": at, "log": without_times(log.read_bytes()) if log.exists() else b""}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict, dict]]:
    """By encoder: the last step's checkpoint, and the finished run."""
    found = {}
    for config in RECIPES:
        run = tmp_path_factory.mktemp(config.encoder)
        stop_after(config, run / "stopped", STEPS)
        train(config, *tables(config), run / "finished")
        found[config.encoder] = (kept(run / "stopped"), contents(run / "finished"))
    return found


@pytest.mark.parametrize("config", RECIPES, ids=lambda config: config.encoder)
def test_a_training_that_was_stopped_four_times_ends_as_one_that_was_not(
    tmp_path: Path, uninterrupted: dict, config: TrainConfig
) -> None:
    # In the first epoch, at its end (of the warm epochs too), right after, and in the middle of the last.
    for steps in (2, 1, 1, 3, 2):
        stop_after(config, tmp_path / "run", steps)
    state, finished = uninterrupted[config.encoder]
    now = kept(tmp_path / "run")
    assert {name for name in state if state[name] != now[name]} == set()
    train(config, *tables(config), tmp_path / "run")
    assert contents(tmp_path / "run") == finished


@pytest.mark.parametrize("stopped_at", range(1, STEPS + 1))
def test_a_stop_at_any_step_changes_nothing(tmp_path: Path, uninterrupted: dict, stopped_at: int) -> None:
    stop_after(LINEAR, tmp_path / "run", stopped_at)
    train(LINEAR, *tables(LINEAR), tmp_path / "run")
    assert contents(tmp_path / "run") == uninterrupted["linear"][1]


@pytest.mark.parametrize(
    ("forgotten", "differs"),
    [
        ("_set_random_states", {"model", "average", "optimizer", "random"}),
        ("_unflatten", {"model", "average", "optimizer"}),
    ],
)
def test_the_comparison_notices_a_state_that_is_not_restored(
    tmp_path: Path, uninterrupted: dict, monkeypatch: pytest.MonkeyPatch, forgotten: str, differs: set[str]
) -> None:
    stop_after(LINEAR, tmp_path / "run", 4)
    monkeypatch.setattr(f"compress.training.state.{forgotten}", lambda *arguments: None)
    stop_after(LINEAR, tmp_path / "run", STEPS - 4)
    state, now = uninterrupted["linear"][0], kept(tmp_path / "run")
    assert {f"{part}.safetensors" for part in differs} <= {name for name in state if state[name] != now[name]}
    assert now["log"] != state["log"]


def test_the_comparison_notices_an_average_that_starts_anew(
    tmp_path: Path, uninterrupted: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after(LINEAR, tmp_path / "run", 4)
    monkeypatch.setattr("compress.training.optimizer.WeightAverage.update", lambda *arguments: None)
    stop_after(LINEAR, tmp_path / "run", STEPS - 4)
    state, now = uninterrupted["linear"][0], kept(tmp_path / "run")
    assert now["model.safetensors"] == state["model.safetensors"]
    assert now["average.safetensors"] != state["average.safetensors"]


def test_another_seed_is_another_training(tmp_path: Path, uninterrupted: dict) -> None:
    stop_after(replace(LINEAR, seed=1), tmp_path / "run", STEPS)
    assert kept(tmp_path / "run")["model.safetensors"] != uninterrupted["linear"][0]["model.safetensors"]


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_request_to_stop_is_followed_at_the_next_step_with_a_checkpoint(
    tmp_path: Path, number: int, exit_code: int
) -> None:
    with pytest.raises(Interrupted, match="run the same command again") as caught:
        train(LINEAR, *tables(LINEAR), tmp_path / "run", report=interrupt_after(2, number))
    assert caught.value.exit_code == exit_code
    assert read_folder(Run(tmp_path / "run").checkpoint, "checkpoint").metadata["at"]["step"] == 2
    clear_interrupt()
    said: list[str] = []
    train(
        LINEAR,
        *tables(LINEAR),
        tmp_path / "run",
        report=lambda e: said.append(e.text) if isinstance(e, Note) else None,
    )
    assert said[0] == "continuing at epoch 1, batch 3"


@pytest.mark.parametrize("config", RECIPES, ids=lambda config: config.encoder)
@pytest.mark.parametrize("epoch", [1, 3])
def test_a_stop_while_an_epoch_is_measured_loses_no_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: TrainConfig, epoch: int
) -> None:
    monkeypatch.setattr("compress.training.scoring.ROWS", {"video": 4, "frame": 3})
    train(config, *tables(config), tmp_path / "finished")
    for stopped_before in (False, True):
        if stopped_before:
            request_interrupt(signal.SIGINT)  # it begins with measuring the epoch, and is to stop again
        stop_after(config, tmp_path / "run", 3 * epoch)
        at = read_folder(Run(tmp_path / "run").checkpoint, "checkpoint").metadata["at"]
        assert (at["epoch"], at["batch"], at["step"], at["measured"]) == (epoch, 0, 3 * epoch, epoch - 1)
    train(config, *tables(config), tmp_path / "run")
    assert contents(tmp_path / "run") == contents(tmp_path / "finished")


def test_a_checkpoint_that_does_not_tell_what_was_measured_has_measured_all(tmp_path: Path) -> None:
    stop_after(LINEAR, tmp_path / "run", 4)
    checkpoint = Run(tmp_path / "run").checkpoint
    manifest = read_folder(checkpoint, "checkpoint")
    at = {name: value for name, value in manifest.metadata["at"].items() if name != "measured"}
    files = {name: manifest.path(name).read_bytes() for name in manifest.files}
    commit_folder(checkpoint, "checkpoint", files, {**manifest.metadata, "at": at})
    train(LINEAR, *tables(LINEAR), tmp_path / "run")
    train(LINEAR, *tables(LINEAR), tmp_path / "finished")
    assert contents(tmp_path / "run") == contents(tmp_path / "finished")
