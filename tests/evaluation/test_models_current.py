"""When an evaluation of runs is up to date, and what cannot be evaluated or compared at all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from compress.errors import CompressError, DataError, NotFoundError, SchemaError, UsageError
from compress.evaluation.models.current import model_is_current
from compress.evaluation.models.members import load_members, precisions_of
from compress.evaluation.models.videos import pair_views
from compress.evaluation.scores import load_scores, save_scores
from compress.training.precision import Wanted
from compress.training.run import Run, load_model, save_model
from compress.workspace import Workspace
from tests.evaluation.model_examples import made_run, make_workspace, measure, table, validation
from tests.training.examples import with_labels


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Runs a and b are measured, and b against a."""
    workspace = make_workspace(tmp_path_factory.mktemp("models"))
    made_run(workspace, "a", seed=1)
    made_run(workspace, "b", seed=2)
    measure(workspace, "a", name="a")
    measure(workspace, "b", name="b", baseline="a")
    return workspace


@pytest.fixture
def workspace(shared: Workspace, tmp_path: Path) -> Workspace:
    for folder in ("runs", "evaluation"):
        shutil.copytree(shared.root / folder, tmp_path / folder)
    return replace(shared, root=tmp_path)


def current(
    workspace: Workspace, run: str = "b", wanted: Wanted = "auto", of: str | None = None, **options: Any
) -> bool:
    members = load_members(workspace, [of or run])
    options = {"baseline": "a" if run == "b" else None, **options}
    used = precisions_of(members, wanted, "cpu")
    return model_is_current(workspace, run, members, validation(workspace, "video"), used, **options)


def test_what_was_just_measured_is_current(workspace: Workspace):
    assert current(workspace, "a")
    assert current(workspace, "b")
    assert not current(workspace, "c", of="a")


def test_an_evaluation_that_does_not_say_its_precision_was_computed_as_trained(workspace: Workspace):
    folder = workspace.evaluation / "models" / "scores" / "a"
    top, facts = load_scores(folder)
    trained = load_members(workspace, ["a"])[0].trained_in
    assert facts.pop("precision") == [trained]
    save_scores(folder, top, facts)
    assert current(workspace, "a", trained)
    assert not current(workspace, "a", "fp32" if trained == "bf16" else "bf16")


@pytest.mark.parametrize("options", [{"seed": 1}, {"baseline": None}])
def test_other_options_are_another_evaluation(workspace: Workspace, options: dict[str, Any]):
    assert not current(workspace, **options)


@pytest.mark.parametrize(
    "damage", ["retrained", "no row", "no scores", "damaged row", "damaged scores", "old"]
)
def test_what_changed_or_is_damaged_is_not_current(workspace: Workspace, damage: str):
    row, scores = workspace.evaluation / "models" / "b.json", workspace.evaluation / "models/scores/b"
    if damage == "retrained":
        made_run(workspace, "b", seed=9)
    elif damage == "no row":
        row.unlink()
    elif damage == "no scores":
        shutil.rmtree(scores)
    elif damage == "damaged row":
        row.write_text("{")
    elif damage == "old":
        row.write_text(row.read_text().replace('"schema_version": 1', '"schema_version": 0'))
    else:
        (file,) = scores.glob("*.npz")
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert not current(workspace)
    measure(workspace, "b", name="b", baseline="a")
    assert current(workspace)


def test_other_numbers_of_the_same_videos_are_not_current(workspace: Workspace):
    videos = table(workspace, "validate", "video")
    moved = replace(videos, features=np.asarray(videos.features) + np.float32(0.5))
    members = load_members(workspace, ["a"])
    used = precisions_of(members, "auto", "cpu")
    assert not model_is_current(workspace, "a", members, pair_views({"video": moved}), used)
    assert pair_views({"video": moved}).fingerprint == validation(workspace, "video").fingerprint


def test_a_baseline_that_was_measured_again_makes_the_change_out_of_date(workspace: Workspace):
    made_run(workspace, "a", seed=9)
    measure(workspace, "a", name="a")
    assert not current(workspace)


def headless(workspace: Workspace) -> None:
    made_run(workspace, "original", "identity", {}, head=None)
    measure(workspace, "a", "original")


def twice(workspace: Workspace) -> None:
    measure(workspace, "a", "b", "a")


def none_at_all(workspace: Workspace) -> None:
    load_members(workspace, [])


def unfinished(workspace: Workspace) -> None:
    shutil.rmtree(Run(workspace.run("b")).model)
    measure(workspace, "b")


def absent(workspace: Workspace) -> None:
    measure(workspace, "nothing")


def other_classes(workspace: Workspace) -> None:
    made_run(workspace, "wide", classes=20)
    measure(workspace, "a", "wide")


def other_features(workspace: Workspace) -> None:
    folder = Run(workspace.run("b")).model
    model, facts = load_model(workspace.run("b"))
    schema = {**facts["schema"], "names": ["mean_rgb", "mean_other"]}
    save_model(folder, model.state_dict(), {**facts, "schema": schema})
    measure(workspace, "a", "b")


def other_level(workspace: Workspace) -> None:
    measure(workspace, "a", levels=("frame",))


def videos_of_other_classes(workspace: Workspace) -> None:
    made_run(workspace, "wide", classes=20)
    measure(workspace, "wide")


def not_a_number(workspace: Workspace) -> None:
    model, facts = load_model(workspace.run("a"))
    with torch.no_grad():
        next(model.encoder.parameters())[0, 0] = float("nan")
    save_model(Run(workspace.run("a")).model, model.state_dict(), facts)
    measure(workspace, "b", "a")


def baseline_not_measured(workspace: Workspace) -> None:
    measure(workspace, "a", baseline="a+b")


def baseline_of_other_videos(workspace: Workspace) -> None:
    videos = table(workspace, "validate", "video")
    labels = videos.labels.take(np.roll(np.arange(len(videos)), 1))
    fewer = pair_views({"video": with_labels(videos, labels)})
    model_is_current(workspace, "b", load_members(workspace, ["b"]), fewer, ["fp32"], baseline="a")


def baseline_trained_again(workspace: Workspace) -> None:
    made_run(workspace, "a", seed=9)
    measure(workspace, "b", baseline="a")


def no_tables(workspace: Workspace) -> None:
    pair_views({})


def frames_of_fewer_videos(workspace: Workspace) -> None:
    some = replace(workspace, validate_frames=(str(table_folder(workspace) / "validate-[xy].tfrecord"),))
    validation(some, "video", "frame")


def frames_with_other_labels(workspace: Workspace) -> None:
    frames = table(workspace, "validate", "frame")
    labels = frames.labels.take(np.arange(len(frames))[::-1])
    pair_views({"frame": with_labels(frames, labels), "video": table(workspace, "validate", "video")})


def table_folder(workspace: Workspace) -> Path:
    return Path(workspace.validate_frames[0]).parent


@pytest.mark.parametrize(
    ("attempt", "kind", "telling"),
    [
        (headless, UsageError, "'original' was fitted without a head.*compress evaluate --name original"),
        (twice, UsageError, "'a' is named twice"),
        (none_at_all, UsageError, "no run"),
        (unfinished, NotFoundError, "has not finished"),
        (absent, NotFoundError, "no trained encoder"),
        (other_classes, SchemaError, "'a' knows 15 classes, 'wide' 20"),
        (other_features, SchemaError, "'a' reads mean_rgb.*mean_audio.*'b' mean_rgb.*mean_other"),
        (other_level, SchemaError, "'a' reads video-level data, the videos are frame-level"),
        (videos_of_other_classes, SchemaError, "20 classes, the videos have 1152 and 15"),
        (not_a_number, DataError, "'a' gives scores that are not numbers"),
        (baseline_not_measured, NotFoundError, "`compress evaluate --run a --run b` first"),
        (baseline_of_other_videos, SchemaError, "'a' was measured on other validation videos"),
        (baseline_trained_again, SchemaError, "'a' of the baseline 'a' was trained again"),
        (no_tables, UsageError, "no videos"),
        (frames_of_fewer_videos, SchemaError, r"\d+ are video-level only"),
        (frames_with_other_labels, SchemaError, r"\d+ have other labels"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_in_words(workspace: Workspace, attempt, kind, telling: str):
    before = sorted((workspace.evaluation / "models").rglob("*"))
    with pytest.raises(CompressError, match=telling) as caught:
        attempt(workspace)
    assert type(caught.value) is kind
    assert sorted((workspace.evaluation / "models").rglob("*")) == before
