"""`compress evaluate --run`: names, which shards are opened, and when nothing needs to be done."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compress.artifacts.sealed import read_sealed
from compress.errors import CompressError, NotFoundError, SchemaError, UsageError
from compress.evaluation.scores import load_train_class_counts
from compress.jobs import sources
from compress.jobs.evaluate import evaluate_runs, models_name
from compress.progress import Event, Note
from compress.workspace import Workspace
from tests.evaluation.model_examples import made_run, make_workspace, table

OPTIONS = {"threads": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Runs a and b read features, f reads frames."""
    workspace = make_workspace(tmp_path_factory.mktemp("models"))
    made_run(workspace, "a", seed=1)
    made_run(workspace, "b", seed=2, head="logistic")
    made_run(workspace, "f", "lstm", {"sizes": [6, 4]}, seed=3)
    return workspace


@pytest.fixture
def models(shared: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(shared.runs, tmp_path / "runs")
    return replace(shared, root=tmp_path)


def evaluated(workspace: Workspace, *runs: str, **changes: Any) -> dict[str, Any]:
    return evaluate_runs(workspace, runs=runs, **OPTIONS, **changes)


@pytest.mark.parametrize(
    ("runs", "name", "called"),
    [
        (("a",), None, "a"),
        (("a",), "a", "a"),
        (("a", "f"), None, "a+f"),
        (("f", "a"), None, "f+a"),
        (("a", "f"), "both", "both"),
    ],
)
def test_an_evaluation_is_called(models: Workspace, runs: tuple[str, ...], name: str | None, called: str):
    row = evaluated(models, *runs, name=name)
    assert row["name"] == called
    assert read_sealed(models.evaluation / "models" / f"{called}.json", "") == row


def test_what_is_current_is_returned_without_work_unless_asked(models: Workspace, monkeypatch):
    row = evaluated(models, "a", "f", baseline=None)
    said: list[str] = []

    def report(event: Event) -> None:
        said.append(event.text if isinstance(event, Note) else "work")

    def refuse(*words: Any, **options: Any) -> None:
        raise AssertionError("nothing should be scored")

    with monkeypatch.context() as patch:
        patch.setattr("compress.evaluation.models.measure.mean_scores", refuse)
        assert evaluated(models, "a", "f", report=report) == row
        assert said[-1] == "a+f is evaluated already"
        with pytest.raises(AssertionError, match="nothing should"):
            evaluated(models, "a", "f", again=True, report=report)
        with pytest.raises(AssertionError, match="nothing should"):
            evaluated(models, "a", "f", seed=1, report=report)
    assert evaluated(models, "a", "f", again=True, report=report) == row


def test_shards_of_both_levels_may_be_given_and_each_run_takes_its_own(models: Workspace):
    row = evaluated(models, "a", "f")
    elsewhere = replace(models, validate=(), validate_frames=())
    given = (*models.validate_frames, *models.validate)
    for policy in ("fail", "quarantine"):
        again = evaluated(elsewhere, "a", "f", validate=given, again=True, on_corrupt=policy)
        assert again["figures"] == row["figures"]
    # One pattern is never looked into: a wrong level is refused when it is opened.
    with pytest.raises(SchemaError, match="video-level, frame-level ones are expected"):
        evaluated(elsewhere, "f", validate=models.validate)
    with pytest.raises(SchemaError, match=r"holds frame-level videos"):
        evaluated(elsewhere, "f", validate=(*models.validate, *models.validate))


def test_shards_that_are_given_need_not_have_the_classes_of_the_workspace(models: Workspace):
    made_run(models, "wide", classes=30)
    row = evaluated(models, "wide", validate=models.validate)
    assert row["data"]["num_classes"] == 30


def test_the_videos_of_several_runs_are_loaded_once(models: Workspace, monkeypatch):
    loaded: list[str] = []
    real = sources.load_table

    def counting(source: Any, **options: Any) -> Any:
        loaded.append(source.schema.level)
        return real(source, **options)

    monkeypatch.setattr(sources, "load_table", counting)
    evaluated(models, "a", "b", "f")
    assert sorted(loaded) == ["frame", "frame", "video", "video"]  # to measure on, and trained on


def test_the_training_videos_of_each_class_are_kept(models: Workspace):
    evaluated(models, "a", "f")
    counts = load_train_class_counts(models.evaluation / "models/scores/a+f")
    assert counts is not None
    assert counts.tolist() == table(models, "train", "video").labels.class_counts().tolist()


@pytest.mark.parametrize("change", [{"train": ()}, {"train": ("nowhere*",)}, "other"])
def test_without_its_training_shards_a_run_is_evaluated_all_the_same(models: Workspace, change):
    if change == "other":
        shutil.copytree(Path(models.train[0]).parent, models.root / "other")
        (models.root / "other" / "validate0000.tfrecord").rename(models.root / "other" / "t.tfrecord")
        change = {"train": (str(models.root / "other" / "t.tfrecord"),)}
    said: list[str] = []

    def report(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    row = evaluated(replace(models, **change), "a", report=report)
    assert "class frequencies are not kept" in said[-1]
    assert row["figures"] == evaluated(models, "a", again=True)["figures"]
    assert load_train_class_counts(models.evaluation / "models/scores/a") is not None


def test_no_folder_of_this_machine_gets_into_a_row(models: Workspace):
    evaluated(models, "a", "f", validate=(*models.validate_frames, *models.validate))
    text = (models.evaluation / "models" / "a+f.json").read_text()
    assert str(Path(models.train[0]).parents[1].parent) not in text
    assert "frame/validate*.tfrecord" in text


def a_name_for_one(workspace: Workspace) -> None:
    evaluated(workspace, "a", name="b")


def the_name_of_a_run(workspace: Workspace) -> None:
    evaluated(workspace, "a", "f", name="b")


def the_name_of_a_row(workspace: Workspace) -> None:
    evaluated(workspace, "a", "f", name="cnn-512-max")


def no_file_name(workspace: Workspace) -> None:
    evaluated(workspace, "a", "f", name="a/b")


def no_file_name_of_a_run(workspace: Workspace) -> None:
    evaluated(workspace, "../a")


def too_long(workspace: Workspace) -> None:
    models_name(workspace, ("a" * 120, "b" * 120), None)


def misspelt(workspace: Workspace) -> None:
    made_run(workspace, "linear-320")
    evaluated(workspace, "linear-32")


def no_shards(workspace: Workspace) -> None:
    evaluated(replace(workspace, validate=()), "a")


def no_frames(workspace: Workspace) -> None:
    evaluated(replace(workspace, validate_frames=(), train_frames=()), "a", "f")


def of_other_classes(workspace: Workspace) -> None:
    made_run(workspace, "wide", classes=30)
    evaluated(replace(workspace, validate=("nowhere*",)), "wide")  # refused before a shard is looked for


def trained_on_them(workspace: Workspace) -> None:
    evaluated(workspace, "a", validate=workspace.train)


@pytest.mark.parametrize(
    ("attempt", "kind", "telling"),
    [
        (a_name_for_one, UsageError, "a single run has the name of the run"),
        (the_name_of_a_run, UsageError, "is the name of a run"),
        (the_name_of_a_row, UsageError, "name of a row of the papers' tables"),
        (no_file_name, UsageError, "not a valid name"),
        (no_file_name_of_a_run, UsageError, "not a valid name"),
        (too_long, UsageError, "too long.*--name"),
        (misspelt, NotFoundError, "did you mean linear-320"),
        (no_shards, UsageError, "no validate shards given"),
        (no_frames, SchemaError, "video-level, frame-level ones are expected"),
        (of_other_classes, SchemaError, "compress.toml: the workspace has 15 classes, .* for 30"),
        (trained_on_them, SchemaError, "'a' was trained on 40 of the videos to measure on"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(models: Workspace, attempt, kind, telling: str):
    with pytest.raises(CompressError, match=telling) as caught:
        attempt(models)
    assert type(caught.value) is kind
    assert not (models.evaluation / "models").exists()
