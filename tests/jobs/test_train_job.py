"""`compress train`: which shards it opens, and what --fresh throws away."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compress.artifacts.atomic import read_json
from compress.artifacts.lock import exclusive
from compress.errors import CorruptArtifactError, DataError, LockedError, SchemaError, UsageError
from compress.jobs.encode import encode_store
from compress.jobs.train import Trained, train_run
from compress.progress import Event, Note
from compress.training.run import load_model
from compress.workspace import Workspace

OPTIONS = {
    "dim": 3,
    "encoder": "linear",
    "epochs": 1,
    "batch_size": 16,
    "settings": ("precision=fp32",),
    "threads": 1,
    "device": "cpu",
}
CLOSED_FORM = {"dim": 3, "threads": 1, "device": "cpu"}


def trained(workspace: Workspace, options: dict[str, Any] = OPTIONS, **changes: Any) -> Trained:
    return train_run(workspace, **{**options, **changes})


@pytest.mark.parametrize(("encoder", "dim"), [("pca", 3), ("random_projection", 3), ("identity", None)])
def test_what_is_computed_needs_neither_labels_nor_validation_videos(workspace, encoder: str, dim):
    bare = (str(workspace.root / "bare*.tfrecord"),)
    done = trained(replace(workspace, train=bare, validate=()), CLOSED_FORM, encoder=encoder, dim=dim)
    assert done.figures == {}
    assert load_model(done.run)[0].dim == (dim or 12)


def test_what_is_computed_does_not_depend_on_the_validation_videos(workspace: Workspace):
    done = trained(workspace, CLOSED_FORM, encoder="pca")
    before = (done.run / "config.json").read_bytes()
    trained(replace(workspace, validate=("nowhere*",)), CLOSED_FORM, encoder="pca")
    assert (done.run / "config.json").read_bytes() == before


@pytest.mark.parametrize("changes", [{}, {"encoder": "identity", "dim": None, "settings": ("head=moe",)}])
def test_what_is_trained_needs_labels_and_validation_videos(workspace: Workspace, changes: dict[str, Any]):
    bare = replace(workspace, train=(str(workspace.root / "bare*.tfrecord"),))
    with pytest.raises(DataError, match="label"):
        trained(bare, **changes)
    with pytest.raises(UsageError, match="no validate shards given"):
        trained(replace(workspace, validate=()), **changes)


def test_a_run_with_a_name_of_its_own_is_encoded_by_its_size(workspace: Workspace):
    trained(workspace, name="mine")
    assert encode_store(workspace, dim=3, device="cpu").path == workspace.store("mine")


def test_fresh_throws_a_finished_run_away(workspace: Workspace):
    done = trained(workspace)
    (done.run / "leftover").mkdir()
    said: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    with pytest.raises(UsageError, match="--fresh"):
        trained(workspace, seed=1)
    trained(workspace, seed=1, fresh=True, report=report)
    assert f"deleting the earlier run {done.run}" in said
    assert read_json(done.run / "config.json")["config"]["seed"] == 1
    left = sorted(file.name for file in done.run.iterdir() if file.suffix != ".lock")
    made = ["best", "config.json", "limit", "log.jsonl", "model"]  # one epoch: not converged
    assert left == sorted([*made, "leftover"]), "what is not of the training stays"


def test_fresh_of_nothing_is_just_a_training(workspace: Workspace):
    assert trained(workspace, fresh=True).best_epoch == 1


def test_fresh_does_not_touch_a_run_that_somebody_trains(workspace: Workspace):
    run = trained(workspace).run
    before = sorted(run.rglob("*"))
    with exclusive(run / "train"), pytest.raises(LockedError):
        trained(workspace, fresh=True)
    assert sorted(run.rglob("*")) == before


@pytest.mark.parametrize("removals", range(4))  # two files of the model, the log, the config
def test_fresh_stopped_halfway_never_leaves_an_old_model_for_a_new_recipe(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, removals: int
):
    done = trained(workspace)
    stop = _after(removals)
    with monkeypatch.context() as patch:
        patch.setattr("os.unlink", stop(os.unlink))
        patch.setattr(Path, "unlink", stop(Path.unlink))
        with pytest.raises(_Stopped):
            trained(workspace, seed=1, fresh=True)
    try:
        trained(workspace, seed=1)
    except (UsageError, CorruptArtifactError):
        trained(workspace, seed=1, fresh=True)
    assert load_model(done.run)[1]["train_config"]["seed"] == 1


class _Stopped(Exception):
    pass


def _after(removals: int):
    """Functions that stop all removals after some."""
    left = removals

    def stopping(remove):
        def removed(*words, **options):
            nonlocal left
            if str(words[0]).endswith(".lock"):
                return remove(*words, **options)
            left -= 1
            if left < 0:
                raise _Stopped
            return remove(*words, **options)

        return removed

    return stopping


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": "lstm"}, "'lstm' reads frame-level data, the shards are video-level"),
        (
            {"encoder": "pca", "dim": 13, "epochs": None, "settings": ()},
            "between 1 and 12 dimensions, not 13",
        ),
    ],
)
def test_what_does_not_fit_the_shards_is_told_before_they_are_loaded(
    workspace: Workspace, changes: dict[str, Any], message: str
):
    told: list[Event] = []
    with pytest.raises((SchemaError, UsageError), match=message):
        trained(workspace, report=told.append, **changes)

    assert told == []
    assert not workspace.cache.exists()
