"""The folder of a run: what it refuses, what it says, what lies in it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from compress.artifacts.lock import exclusive
from compress.datasets.schema import FeatureSchema
from compress.errors import (
    CorruptArtifactError,
    Interrupted,
    LockedError,
    NotFoundError,
    SchemaError,
    StorageError,
    UsageError,
)
from compress.jobs.train import delete_run
from compress.progress import Event, Note, Progress, clear_interrupt, silent
from compress.run_config import read_run_config, write_run_config
from compress.training import load_model, train
from compress.training.log import append_log, read_log, truncate_log
from compress.training.run import (
    Run,
    check_fits,
    model_manifest,
    model_sha256,
    open_model,
    save_model,
)
from tests.artifacts.races import when_checked
from tests.training.examples import CLASSES, DIM, IDENTITY, LINEAR, interrupt_after, tables, video_table


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    return train(IDENTITY, *tables(IDENTITY), tmp_path / "run").run


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    with pytest.raises(Interrupted):
        train(IDENTITY, *tables(IDENTITY), tmp_path / "run", report=interrupt_after(4))
    clear_interrupt()
    return tmp_path / "run"


def again(run: Path) -> None:
    train(IDENTITY, *tables(IDENTITY), run)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
@pytest.mark.parametrize("name", ["model", "average", "optimizer", "random"])
def test_a_damaged_checkpoint_is_named_and_not_used(
    unfinished: Path, name: str, damage: Callable[[Path], None]
) -> None:
    (file,) = Run(unfinished).checkpoint.glob(f"{name}-*")
    damage(file)
    with pytest.raises(CorruptArtifactError) as caught:
        again(unfinished)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("damage", [flip, cut])
def test_a_damaged_manifest_of_a_checkpoint_is_named(
    unfinished: Path, damage: Callable[[Path], None]
) -> None:
    damage(Run(unfinished).checkpoint / "manifest.json")
    with pytest.raises(CorruptArtifactError, match=r"checkpoint/manifest\.json"):
        again(unfinished)


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
def test_a_damaged_best_epoch_is_named(unfinished: Path, damage: Callable[[Path], None]) -> None:
    with pytest.raises(Interrupted):  # after the last step, so that nothing better comes
        train(IDENTITY, *tables(IDENTITY), unfinished, report=interrupt_after(2))
    clear_interrupt()
    (file,) = Run(unfinished).best.glob("model-*")
    damage(file)
    with pytest.raises(CorruptArtifactError) as caught:
        again(unfinished)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("damage", [flip, cut, Path.unlink])
@pytest.mark.parametrize("use", [load_model, model_manifest, again])
def test_a_damaged_model_is_named(
    finished: Path, use: Callable[[Path], object], damage: Callable[[Path], None]
) -> None:
    (file,) = Run(finished).model.glob("model-*")
    damage(file)
    with pytest.raises(CorruptArtifactError) as caught:
        use(finished)
    assert str(file) in str(caught.value)


def test_a_checkpoint_of_another_training_is_refused(unfinished: Path) -> None:
    other = replace(IDENTITY, seed=5)
    Run(unfinished).config.unlink()
    with pytest.raises(CorruptArtifactError, match="belongs to another training; use --fresh"):
        train(other, *tables(other), unfinished)


def test_a_checkpoint_that_does_not_fit_the_model_is_one_line(
    unfinished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compress.training.state.read_tensors", lambda path: {})
    with pytest.raises(CorruptArtifactError, match=r"cannot continue .*--fresh"):
        again(unfinished)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"learning_rate": 0.5}, r"learning_rate 0\.001 -> 0\.5"),
        ({"head": "moe"}, "head 'logistic' -> 'moe'"),
        ({"seed": 3, "ema": 0.5}, r"ema 0\.99 -> 0\.5; seed 0 -> 3"),
    ],
)
@pytest.mark.parametrize("state", ["finished", "unfinished"])
def test_another_recipe_in_the_same_folder_names_what_changed(
    request: pytest.FixtureRequest, state: str, change: dict, named: str
) -> None:
    run = request.getfixturevalue(state)
    with pytest.raises(UsageError, match=named) as caught:
        train(replace(IDENTITY, **change), *tables(IDENTITY), run)
    assert str(run) in str(caught.value)
    assert "--fresh" in str(caught.value)


def test_other_videos_in_the_same_folder_are_refused(unfinished: Path) -> None:
    with pytest.raises(UsageError, match="other settings \\(the training videos\\)"):
        train(IDENTITY, video_table(seed=9), video_table(20, seed=1), unfinished)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"config": 3}'])
def test_a_damaged_config_is_named(unfinished: Path, text: str) -> None:
    Run(unfinished).config.write_text(text)
    with pytest.raises(CorruptArtifactError, match=r"config\.json"):
        again(unfinished)


def test_two_processes_cannot_train_the_same_run(tmp_path: Path) -> None:
    with exclusive(tmp_path / "run" / "train"), pytest.raises(LockedError, match=f"process {os.getpid()}"):
        again(tmp_path / "run")


def test_a_finished_training_is_returned_at_once(tmp_path: Path) -> None:
    events: list[Event] = []
    first = train(LINEAR, *tables(LINEAR), tmp_path / "run")
    log = Run(tmp_path / "run").log.read_text()
    second = train(LINEAR, *tables(LINEAR), tmp_path / "run", report=events.append)
    assert (second.best_epoch, second.figures) == (first.best_epoch, first.figures)
    assert events == [Note(f"{tmp_path / 'run'} is already trained")]
    assert not [event for event in events if isinstance(event, Progress)]
    assert Run(tmp_path / "run").log.read_text() == log


def test_a_finished_run_holds_its_config_its_log_and_its_model(finished: Path) -> None:
    assert sorted(os.listdir(finished)) == ["config.json", "log.jsonl", "model"]


def test_what_a_kill_after_the_last_commit_left_is_removed_by_the_next_call(finished: Path) -> None:
    Run(finished).checkpoint.mkdir()
    (Run(finished).checkpoint / "optimizer-d35c416a.safetensors").write_bytes(
        b"large"
    )  # its name is that of its sha256
    again(finished)
    assert sorted(os.listdir(finished)) == ["config.json", "log.jsonl", "model"]


def test_an_unfinished_run_has_no_model_and_says_how_to_get_one(unfinished: Path) -> None:
    with pytest.raises(NotFoundError, match="not finished; run the same `compress train` command again"):
        load_model(unfinished)


def test_an_empty_folder_has_no_model(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no trained encoder here; `compress train` makes one"):
        load_model(tmp_path / "nothing")


def test_a_loaded_model_scores_as_the_log_says(finished: Path) -> None:
    model, metadata = load_model(finished)
    assert not model.training
    best = [json.loads(line) for line in Run(finished).log.read_text().splitlines()][metadata["epoch"] - 1]
    assert metadata["figures"]["gap"] == best["gap"]
    assert metadata["train_config"] == IDENTITY.to_json()
    assert metadata["parameters"] == {"encoder": 0, "head": DIM * CLASSES + CLASSES}
    assert metadata["train_videos"] == len(tables(IDENTITY)[0])


def test_weights_that_do_not_fit_their_config_are_refused(
    finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("compress.training.run.read_tensors", lambda path: {"weight": torch.zeros(1)})
    with pytest.raises(CorruptArtifactError, match=r"cannot build .*--fresh"):
        load_model(finished)


@pytest.mark.parametrize(
    ("level", "dims", "message"),
    [
        ("frame", (DIM,), "reads video-level data, these shards are frame-level"),
        ("video", (4, 5), "these shards have 9"),
    ],
)
def test_data_that_a_model_cannot_read_is_refused(
    finished: Path, level: str, dims: tuple[int, ...], message: str
) -> None:
    schema = FeatureSchema(level, tuple("abc"[: len(dims)]), dims, CLASSES, "id")
    with pytest.raises(SchemaError, match=message):
        check_fits(load_model(finished)[1], schema, finished)
    check_fits(load_model(finished)[1], video_table(2).schema, finished)


def test_a_log_forgets_epochs_after_the_checkpoint_and_torn_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    for epoch in (1, 2, 3):
        append_log(log, {"epoch": epoch, "loss": 0.5})
    with log.open("a") as file:
        file.write('{"epoch": 4, "lo')
    truncate_log(log, 4)
    assert [line["epoch"] for line in read_log(log)] == [1, 2, 3]
    truncate_log(log, 2)
    assert read_log(log) == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.5}]


def test_a_run_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/run: Not a directory"):
        again(tmp_path / "file" / "run")


def test_a_run_that_is_started_afresh_while_it_is_loaded_is_not_there(finished: Path, monkeypatch) -> None:
    when_checked(monkeypatch, lambda: delete_run(finished, silent))
    with pytest.raises(NotFoundError, match="no trained encoder here"):
        load_model(finished)


def test_a_model_that_is_replaced_while_it_is_loaded_is_the_new_one(finished: Path, monkeypatch) -> None:
    (model, facts), before = load_model(finished), model_sha256(finished)
    doubled = {name: 2 * value for name, value in model.state_dict().items()}
    when_checked(monkeypatch, lambda: save_model(finished / "model", doubled, facts))
    found, manifest = open_model(finished)
    assert all(torch.equal(value, doubled[name]) for name, value in found.state_dict().items())
    assert manifest.files["model.safetensors"].sha256 == model_sha256(finished) != before


@pytest.mark.parametrize(("part", "after"), [("log", b": 0."), ("config", b'"seed": ')])
def test_a_flipped_bit_in_the_log_or_the_config_is_named(finished: Path, part: str, after: bytes) -> None:
    path: Path = getattr(Run(finished), part)
    content = bytearray(path.read_bytes())
    content[content.index(after) + len(after)] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptArtifactError, match="does not match its own sha256") as error:
        read_log(path) if part == "log" else read_run_config(finished)
    assert error.value.where == str(path)
    assert "--fresh" in error.value.hint


@pytest.mark.parametrize("shards", [0.5, [1], {"train": 3}, {"train": [0.5]}, {"train": ["no number x"]}])
def test_a_sealed_config_of_another_form_is_refused(finished: Path, shards: object) -> None:
    identity = read_run_config(finished)
    write_run_config(finished, {**identity, "shards": shards})
    with pytest.raises(CorruptArtifactError, match="is not the config of a training"):
        read_run_config(finished)
