"""`compress train --teacher`: which runs teach, which shards come without labels, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compress.artifacts.atomic import read_json
from compress.errors import DataError, NotFoundError, SchemaError, UsageError
from compress.jobs.commands import train_argv
from compress.jobs.train import Trained, train_run
from compress.progress import Event, Note
from compress.run_config import read_run_config
from compress.training.run import load_model, model_sha256
from compress.workspace import Workspace
from tests.encoding.examples import shards, videos
from tests.jobs.test_train_job import CLOSED_FORM, OPTIONS

STUDENT = {**OPTIONS, "name": "student", "teachers": ("one", "two")}


@pytest.fixture
def school(workspace: Workspace) -> Workspace:
    """The workspace, with two runs that can teach."""
    for seed, name in enumerate(("one", "two")):
        trained(workspace, OPTIONS, name=name, seed=seed)
    return workspace


def trained(workspace: Workspace, options: dict[str, Any] = STUDENT, **changes: Any) -> Trained:
    return train_run(workspace, **{**options, **changes})


def bare(workspace: Workspace) -> tuple[str, ...]:
    return (str(workspace.root / "bare*.tfrecord"),)


def test_a_run_keeps_the_names_and_weights_of_its_teachers(school: Workspace):
    done = trained(school, settings=(*STUDENT["settings"], "mixup=0"))  # blends are others each time
    facts = load_model(done.run)[1]
    assert facts["train_config"]["teachers"] == ["one", "two"]
    expected = sorted(model_sha256(school.run(name)) for name in ("one", "two"))
    assert facts["teacher_sha256"] == expected
    assert len(list(school.cache.glob("teacher-scores-*"))) == 1


def test_teachers_can_be_named_as_any_other_setting(school: Workspace):
    trained(school)
    again = trained(school, teachers=(), settings=("precision=fp32", 'teachers=["one","two"]'))
    assert again.figures == trained(school).figures


def test_videos_without_labels_learn_from_the_teachers(school: Workspace):
    done = trained(school, unlabelled=bare(school))
    facts = load_model(done.run)[1]
    assert (facts["train_videos"], facts["unlabelled_videos"]) == (40, 8)
    assert trained(school, name="without").figures != done.figures


def test_labelled_shards_may_be_taken_as_if_they_were_not(school: Workspace):
    shards(school.root, "further", videos(9, 300))
    done = trained(school, unlabelled=(str(school.root / "further*"),))
    assert load_model(done.run)[1]["unlabelled_videos"] == 9


def test_what_was_left_out_of_them_is_told(school: Workspace):
    path = next(school.root.glob("bare*.tfrecord"))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match="bare"):
        trained(school, unlabelled=bare(school))
    told: list[Event] = []
    trained(school, unlabelled=bare(school), on_corrupt="skip", report=told.append)
    assert any(isinstance(event, Note) and "left out" in event.text for event in told)


def test_the_command_of_a_student_names_teachers_and_shards(school: Workspace):
    changes = {"distill_weight": 0.25, "temperature": 2.0}
    done = trained(school, unlabelled=bare(school), **changes)
    words = train_argv(done.name, read_run_config(done.run))
    said = [words[place + 1] for place, word in enumerate(words) if word == "--teacher"]
    assert said == ["one", "two"]
    assert words[words.index("--unlabelled") + 1].endswith("bare*.tfrecord")
    assert not words[words.index("--unlabelled") + 1].startswith("/")
    assert words[words.index("--distill-weight") + 1] == "0.25"
    assert words[words.index("--temperature") + 1] == "2.0"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"teachers": ("student",)}, UsageError, "'student' cannot teach itself"),
        ({"teachers": ("on",)}, NotFoundError, "no trained encoder named 'on'.*did you mean one"),
        ({"teachers": ("one", "one")}, UsageError, "teachers must be a list of different names"),
        ({"teachers": (), "unlabelled": ("bare",)}, UsageError, "nothing to learn from.*--teacher"),
        ({"settings": ("unlabelled_ratio=2",)}, UsageError, "unlabelled_ratio.*--unlabelled"),
        ({"teachers": (), "temperature": 2.0}, UsageError, "temperature needs teachers"),
        ({"unlabelled": ("nowhere*",)}, NotFoundError, "nowhere"),
        (
            {"unlabelled": ("VALIDATE",)},
            SchemaError,
            "--unlabelled: .*11 more are among the validation videos",
        ),
        ({"teachers": ("computed",)}, UsageError, "has no head"),
        ({"encoder": "pca", "epochs": None, "batch_size": None, "settings": ()}, UsageError, "teachers"),
    ],
)
def test_what_cannot_be_is_refused_before_a_run_is_thrown_away(
    school: Workspace, changes: dict[str, Any], error: type[Exception], message: str
):
    trained(school, CLOSED_FORM, encoder="pca", name="computed")
    before = read_json(trained(school, OPTIONS, name="student").run / "config.json")
    if changes.get("unlabelled") == ("VALIDATE",):
        changes = {"unlabelled": school.validate}
    with pytest.raises(error) as caught:
        trained(school, fresh=True, **changes)
    assert caught.match(message)
    assert read_json(school.run("student") / "config.json") == before
    assert (school.run("student") / "model" / "manifest.json").exists()


def test_teachers_of_other_features_are_refused_by_name(school: Workspace, tmp_path: Path):
    other = tmp_path / "other"
    shards(other, "train", videos(20, dim=9))
    shards(other, "validate", videos(6, 100, dim=9))
    small = replace(school, train=(str(other / "train*"),), validate=(str(other / "validate*"),))
    trained(small, OPTIONS, name="one", fresh=True)
    with pytest.raises(SchemaError, match="teacher 'one' reads mean \\(9 dimensions"):
        trained(school)
