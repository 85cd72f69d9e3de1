"""Trained runs and means of several: figures against loops, pairing by id, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from compress.artifacts.sealed import read_sealed
from compress.evaluation.models import scoring as scoring_module
from compress.evaluation.models import videos as videos_module
from compress.evaluation.models.members import load_members
from compress.evaluation.models.row import load_models
from compress.evaluation.models.videos import common, training_videos
from compress.evaluation.scores import load_scores, load_train_class_counts, save_scores
from compress.metrics import METRICS, TopScores
from compress.run_config import noted_shards, read_run_config, write_run_config
from compress.training.run import load_model
from compress.training.scoring import accumulate, top_of
from compress.workspace import Workspace
from tests.evaluation.examples import is_interval
from tests.evaluation.model_examples import (
    CLASSES,
    TRAIN,
    VALIDATE,
    labels_by_id,
    made_run,
    make_workspace,
    measure,
    scored_one_by_one,
    table,
    validation,
)
from tests.metrics import reference

NAMES = [metric.name for metric in METRICS]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Runs a and b read features, f reads frames; every test writes its evaluations somewhere else."""
    workspace = make_workspace(tmp_path_factory.mktemp("models"))
    made_run(workspace, "a", seed=1, seconds=[1.5, 2.0, 0.5])
    made_run(workspace, "b", seed=2, head="logistic", precision="bf16", seconds=[1.0, None])
    made_run(workspace, "f", "lstm", {"sizes": [6, 4]}, seed=3)
    return workspace


@pytest.fixture
def workspace(shared: Workspace, tmp_path: Path) -> Iterator[Workspace]:
    (tmp_path / "runs").symlink_to(shared.runs)
    return replace(shared, root=tmp_path)


def values(row: dict[str, Any]) -> dict[str, float]:
    return {metric: row["figures"][metric]["value"] for metric in NAMES}


@pytest.mark.parametrize("run", ["a", "b", "f"])
def test_one_run_has_the_very_figures_that_its_training_would_measure(
    workspace: Workspace, run: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("compress.training.precision.computes_bf16", lambda device: True)
    model, facts = load_model(workspace.run(run))
    videos = table(workspace, "validate", facts["schema"]["level"])
    wanted = accumulate(model, videos, precision=facts["train_config"]["precision"]).figures()
    assert values(measure(workspace, run)) == {metric: wanted[metric] for metric in NAMES}


@pytest.mark.parametrize("runs", [("a",), ("f",), ("a", "f"), ("f", "a"), ("a", "f", "g")])
def test_a_mean_is_that_of_the_probabilities_of_each_video(workspace: Workspace, runs: tuple[str, ...]):
    if "g" in runs:
        made_run(workspace, "g", "lstm", {"sizes": [3], "pooling": "max"}, seed=4, head="logistic")
    ids, labels = labels_by_id(workspace)
    each = [scored_one_by_one(workspace, run) for run in runs]
    mean = np.array([np.mean([scores[video] for scores in each], axis=0) for video in ids])
    found = measure(workspace, *runs)
    assert values(found) == pytest.approx(reference.all_figures(mean, labels), abs=1e-6)
    top, _ = load_scores(workspace.evaluation / "models" / "scores" / "measured")
    best = np.argsort(-mean, axis=1, kind="stable")[:, 0]
    assert top.classes[:, 0].tolist() == best.tolist()
    np.testing.assert_allclose(top.scores[:, 0], mean.max(axis=1), atol=1e-6)


def test_the_shards_of_both_levels_hold_the_same_videos_in_another_order(workspace: Workspace):
    features, frames = (table(workspace, "validate", level) for level in ("video", "frame"))
    assert sorted(features.ids) == sorted(frames.ids)
    assert features.ids.tolist() != frames.ids.tolist()


def test_the_order_of_the_runs_changes_nothing(workspace: Workspace):
    assert measure(workspace, "a", "b", "f")["figures"] == measure(workspace, "f", "b", "a")["figures"]


def test_a_run_twice_under_two_names_has_the_figures_of_one(workspace: Workspace, shared: Workspace):
    made_run(shared, "a-again", seed=1)
    assert measure(workspace, "a", "a-again")["figures"] == measure(workspace, "a")["figures"]


def test_videos_stand_in_the_order_of_their_ids_at_every_level(workspace: Workspace):
    ids, labels = labels_by_id(workspace)
    assert validation(workspace, "frame").ids.tolist() == ids
    for run in ("a", "f"):
        measure(workspace, run, name=run)
        top, _ = load_scores(workspace.evaluation / "models" / "scores" / run)
        assert (
            np.split(top.label_classes, top.label_indptr[1:-1])[3].tolist()
            == np.flatnonzero(labels[3]).tolist()
        )


@pytest.mark.parametrize("levels", [("video",), ("frame",), ("video", "frame")])
def test_the_videos_are_the_same_whatever_the_level(workspace: Workspace, levels):
    assert validation(workspace, *levels).fingerprint == validation(workspace, "video").fingerprint


def test_no_more_than_a_batch_of_scores_exists_at_once(workspace: Workspace, monkeypatch):
    whole = measure(workspace, "a", "f")["figures"]
    seen: list[int] = []

    def watched(scores: Tensor, labels: Tensor, k: int) -> TopScores:
        seen.append(len(scores))
        return top_of(scores, labels, k)

    monkeypatch.setattr(videos_module, "ROWS", {"video": 7, "frame": 4})
    monkeypatch.setattr(scoring_module, "top_of", watched)
    found = measure(workspace, "a", "f")["figures"]
    assert max(seen) == 4
    assert sum(seen) == VALIDATE
    for metric in NAMES:
        assert found[metric] == pytest.approx(whole[metric], abs=1e-6)


def test_a_change_is_paired_over_the_videos_also_between_levels(workspace: Workspace):
    base = measure(workspace, "a", name="a")
    ours = measure(workspace, "f", name="f", baseline="a")
    assert (base["delta"], ours["delta"]["baseline"]) == (None, "a")
    for metric in NAMES:
        change = values(ours)[metric] - values(base)[metric]
        assert ours["delta"][metric]["value"] == pytest.approx(change, abs=1e-12)
        assert is_interval(ours["delta"][metric])
        assert is_interval(ours["figures"][metric])


def test_a_model_compared_with_itself_differs_by_nothing_at_all(workspace: Workspace):
    measure(workspace, "a", "f", name="both")
    again = measure(workspace, "f", "a", name="turned", baseline="both")
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert again["delta"] == {"baseline": "both"} | dict.fromkeys(NAMES, nothing)


def test_a_row_says_what_a_run_is(workspace: Workspace):
    found = measure(workspace, "a", name="a", seed=5)
    _, facts = load_model(workspace.run("a"))
    assert read_sealed(workspace.evaluation / "models" / "a.json", "") == found
    assert (found["schema_version"], found["kind"]) == (1, "model")
    assert (found["name"], found["runs"], found["encoders"]) == ("a", ["a"], ["linear"])
    assert (found["head"], found["level"], found["dim"]) == ("moe", "video", 5)
    assert found["title"] == "Linear bottleneck 5"
    assert found["parameters"] == facts["parameters"]
    assert found["training"] == {
        "epochs": 3,
        "best_epoch": 2,
        "videos": TRAIN,
        "seconds": 4.0,
        "seed": 1,
    }
    assert found["data"] == {
        "train_videos": TRAIN,
        "validate_videos": VALIDATE,
        "num_classes": CLASSES,
        "fingerprint": validation(workspace, "video").fingerprint,
        "synthetic_frames": False,
        "source": "s",
    }
    assert (found["command"], len(found["model_sha256"])) == ("c", 1)


def test_a_row_says_what_an_ensemble_is(workspace: Workspace):
    found = measure(workspace, "f", "b", name="both")
    parts = [measure(workspace, run, name=run) for run in ("f", "b")]
    assert (found["runs"], found["encoders"]) == (["f", "b"], ["lstm", "linear"])
    assert (found["dim"], found["training"]) == (None, None)
    assert (found["head"], found["level"]) == ("logistic + moe", "frame")
    assert found["title"] == ("Mean of LSTM 6, 4, last state and Linear bottleneck 5, logistic regression")
    for name in ("encoder", "head"):
        assert found["parameters"][name] == sum(part["parameters"][name] for part in parts)
    assert found["model_sha256"] == [part["model_sha256"][0] for part in parts]
    assert "b: Embeddings were computed in bfloat16." in found["notes"]
    assert parts[1]["training"]["seconds"] is None, "one epoch does not tell"
    assert parts[0]["training"]["epochs"] == 3, "the recipe's, for want of a log"


def test_reports_read_what_is_written(workspace: Workspace):
    measure(workspace, "a", name="a")
    measure(workspace, "a", "f", name="both")
    assert [(model.name, model.runs) for model in load_models(workspace.evaluation / "models")] == [
        ("a", ("a",)),
        ("both", ("a", "f")),
    ]


def test_class_counts_are_those_of_the_training_videos(workspace: Workspace):
    members = load_members(workspace, ["a", "f"])
    videos = validation(workspace, "video", "frame")
    found = [training_videos(table(workspace, "train", m.level), m, videos) for m in members]
    known = common(found)
    assert known is not None
    wanted = table(workspace, "train", "video").labels.multi_hot().sum(axis=0)
    assert known.class_counts.tolist() == wanted.tolist()
    measure(workspace, "a", "f", trained_on=known)
    folder = workspace.evaluation / "models" / "scores" / "measured"
    kept = load_train_class_counts(folder)
    assert kept is not None
    assert (kept.dtype, kept.tolist()) == (np.int64, wanted.tolist())
    assert load_scores(folder)[1]["train"] == known.fingerprint


def test_class_counts_of_other_videos_are_nobodys(workspace: Workspace):
    (member,) = load_members(workspace, ["a"])
    videos = validation(workspace, "video")
    assert training_videos(table(workspace, "validate", "video"), member, videos) is None
    assert common([None]) is None
    assert common([training_videos(table(workspace, "train", "video"), member, videos), None]) is None


def test_scores_that_were_kept_before_there_were_counts_are_still_read(workspace: Workspace):
    measure(workspace, "a")
    folder = workspace.evaluation / "models" / "scores" / "measured"
    top, facts = load_scores(folder)
    save_scores(workspace.root / "old", top, facts)
    assert load_train_class_counts(workspace.root / "old") is None
    assert load_scores(workspace.root / "old")[0].scores.tolist() == top.scores.tolist()


def test_a_row_says_which_shards_have_changed_since_the_training(shared: Workspace, tmp_path: Path):
    own = replace(shared, root=tmp_path)
    run, now = made_run(own, "a", seed=1), table(own, "validate", "video").shards
    longer = [shard._replace(bytes=shard.bytes + 100, videos=shard.videos + 3) for shard in now]
    assert not [note for note in measure(own, "a")["notes"] if "Since the training" in note]
    write_run_config(run, {**read_run_config(run), **noted_shards(validate=longer)})
    (one, *_), (before, *_) = now, longer
    changed = f"{one.name} has {one.videos} videos in {one.bytes:,} bytes, it had {before.videos} in"
    assert f"Since the training, {changed} {before.bytes:,}." in measure(own, "a")["notes"]
