"""One measured row: every figure against a computation of its own, and the file that a report reads."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
import torch

from compress.artifacts.atomic import read_json
from compress.evaluation.judges.names import TITLES
from compress.evaluation.judges.panel import Panel
from compress.evaluation.judges.question import Search, question
from compress.evaluation.measure import evaluate
from compress.evaluation.scores import load_opinions, load_scores, load_train_class_counts, save_scores
from compress.evaluation.splits import split_table
from compress.metrics import METRICS, figures
from compress.reports import load_rows, table4
from compress.store.reader import open_store
from compress.training import train
from compress.training.recipes import judge_config
from compress.training.run import load_model
from compress.workspace import Workspace
from tests.encoding.examples import CLASSES, DIM, encoder_run
from tests.evaluation.examples import (
    JUDGED,
    TRAIN,
    TRAINING,
    VALIDATE,
    VALIDATION,
    by_id,
    is_interval,
    multi_hot,
    rewritten,
)
from tests.metrics import reference

METRIC_NAMES = [metric.name for metric in METRICS]

NAMES = ("original", "original-int8", "linear-5")


def row(workspace: Workspace, name: str) -> dict[str, Any]:
    content: dict[str, Any] = read_json(workspace.evaluation / f"{name}.json")
    return content


@torch.no_grad()
def scored(model: torch.nn.Module, features: np.ndarray, autocast: bool) -> np.ndarray:
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        return torch.sigmoid(model(torch.from_numpy(features)).float()).numpy()


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_those_of_a_head_that_saw_nothing_but_the_stored_training_videos(
    measured: Workspace, tmp_path, name: str
):
    store = open_store(measured.store(name))
    rows = [store.row_of(video.video_id) for video in by_id(VALIDATION)]
    asked = question(split_table(store, "train"), split_table(store, "validate"), Search())
    assert len(asked.fit) + len(asked.aside) == TRAIN
    config = judge_config("moe", len(asked.fit), store.dim, epochs=JUDGED["head_epochs"])
    train(config, asked.fit, asked.aside, tmp_path / "head")
    model, facts = load_model(tmp_path / "head")
    scores = scored(model, store.rows(rows), autocast=config.precision == "bf16")
    wanted = reference.all_figures(scores, multi_hot(by_id(VALIDATION)))
    found = row(measured, name)
    (moe,) = (judge for judge in found["judges"] if judge["name"] == "moe")
    assert {metric: moe["figures"][metric]["value"] for metric in METRIC_NAMES} == pytest.approx(
        wanted, abs=1e-6
    )
    assert moe["parameters"] == facts["parameters"]["head"] == 5 * CLASSES * store.dim + 2 * CLASSES
    assert wanted["gap"] > (0.5 if name == "original" else 0.0), "there is something to learn"


@pytest.mark.parametrize("name", NAMES)
def test_the_best_judge_on_the_videos_set_aside_speaks_for_the_row(measured: Workspace, name: str):
    found, base = row(measured, name), row(measured, "original")
    best = max(found["judges"], key=lambda judge: judge["aside_gap"])
    assert (found["head"], found["figures"]) == (f"fresh {best['name']}", best["figures"])
    for judge, other in zip(found["judges"], base["judges"], strict=True):
        if found["delta"] is not None:
            change = judge["figures"]["gap"]["value"] - other["figures"]["gap"]["value"]
            assert judge["delta"]["gap"]["value"] == pytest.approx(change, abs=1e-12)


def test_the_head_trains_on_the_training_videos_by_id_and_on_nothing_else(measured: Workspace):
    table = split_table(open_store(measured.store("original")), "train")
    assert table.ids.tolist() == sorted(table.ids.tolist())
    assert not set(table.ids.tolist()) & {video.video_id for video in VALIDATION}
    assert len(table) == TRAIN


@pytest.mark.parametrize("name", NAMES)
def test_every_value_lies_in_its_interval(measured: Workspace, name: str):
    found = row(measured, name)
    assert all(is_interval(found["figures"][metric]) for metric in METRIC_NAMES)
    for metric in METRIC_NAMES:
        figure = found["figures"][metric]
        # One that is 0 or 1 on these few videos is so on every resample.
        assert figure["low"] < figure["high"] or figure["value"] in (0, 1)
    if found["delta"] is not None:
        assert all(is_interval(found["delta"][metric]) for metric in METRIC_NAMES)


def test_a_delta_is_the_difference_of_the_values_and_paired(measured: Workspace):
    ours, base = row(measured, "original-int8"), row(measured, "original")
    assert (base["delta"], ours["delta"]["baseline"]) == (None, "original")
    for metric in METRIC_NAMES:
        change = ours["figures"][metric]["value"] - base["figures"][metric]["value"]
        assert ours["delta"][metric]["value"] == pytest.approx(change, abs=1e-12)
    # 8 bits move next to nothing; unpaired, the interval would be about as wide as the figure's own.
    own, paired = ours["figures"]["gap"], ours["delta"]["gap"]
    assert paired["high"] - paired["low"] < (own["high"] - own["low"]) / 2


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_store_compared_with_its_own_copy_differs_by_nothing_at_all(workspace: Workspace, shuffled: bool):
    draws = np.random.default_rng(3)
    order = np.concatenate([draws.permutation(TRAIN), TRAIN + draws.permutation(VALIDATE)])
    rewritten(workspace, "original", "copy", order if shuffled else None)
    found = evaluate(workspace, "copy", **JUDGED).to_json()
    nothing = {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["delta"] == {"baseline": "original"} | dict.fromkeys(METRIC_NAMES, nothing)
    assert found["figures"] == row(workspace, "original")["figures"]
    assert found["retrieval"] == row(workspace, "original")["retrieval"]


def test_the_joint_head_scores_the_stored_embeddings_as_it_scored_the_videos(measured: Workspace):
    model, _ = load_model(measured.run("linear-5"))
    features = np.stack([video.features for video in by_id(VALIDATION)])
    wanted = reference.all_figures(scored(model, features, autocast=False), multi_hot(by_id(VALIDATION)))
    assert row(measured, "linear-5")["joint"] == pytest.approx(wanted, abs=1e-6)
    assert row(measured, "original")["joint"] is None, "that run has no head"


@pytest.mark.parametrize("change", ["retrained", "gone", "unfinished"])
def test_a_head_that_knows_other_embeddings_is_not_scored(workspace: Workspace, change: str):
    run = workspace.run("linear-5")
    if change == "retrained":
        encoder_run(run, head="moe", seed=1)
    if change == "gone":
        shutil.rmtree(run)
    if change == "unfinished":
        (run / "model" / "manifest.json").unlink()
    before = row(workspace, "linear-5")
    after = evaluate(workspace, "linear-5", **JUDGED).to_json()
    assert after["joint"] is None
    assert after["figures"] == before["figures"]
    assert after["notes"] == [], "what is said about the encoder must be about the one that made the store"


def test_measuring_twice_writes_the_same_bytes(workspace: Workspace):
    path = workspace.evaluation / "linear-5.json"
    before = path.read_bytes()
    path.unlink()
    evaluate(workspace, "linear-5", **JUDGED)
    assert path.read_bytes() == before
    shutil.rmtree(workspace.evaluation / "heads")
    evaluate(workspace, "linear-5", **JUDGED)
    assert path.read_bytes() == before


def test_another_seed_is_another_head_and_can_be_measured_after_all(workspace: Workspace):
    other = evaluate(workspace, "original", **JUDGED, seed=1, retrieval=False).to_json()
    assert other["figures"] != row_of_seed_zero(workspace)["figures"]
    assert other["head_training"]["seed"] == 1
    assert (other["retrieval"], other["delta"]) == (None, None)


def row_of_seed_zero(workspace: Workspace) -> dict[str, Any]:
    return evaluate(workspace, "original", **JUDGED).to_json()


def test_the_files_are_what_a_report_reads(measured: Workspace):
    rows = load_rows(measured.evaluation)
    assert [found.row for found in rows] == ["linear-5", "original-int8", "original"]  # by file name
    table = table4(rows)
    assert table.baseline is not None
    assert table.baseline.row == "original"
    assert {found.row for _, found in table.measured} == set(NAMES)


@pytest.mark.parametrize(
    ("name", "dim", "codec", "size", "role", "title"),
    [
        ("original", DIM, "float32", 4 * DIM, "baseline", "Original features"),
        ("original-int8", DIM, "int8", DIM, "control", "Original features, int8"),
        ("linear-5", 5, "float32", 20, "encoder", "Linear bottleneck 5, trained with its head"),
    ],
)
def test_a_row_says_what_it_is(measured: Workspace, name, dim, codec, size, role, title):
    found = row(measured, name)
    assert (found["row"], found["dim"], found["codec"]) == (name, dim, codec)
    assert (found["bytes_per_video"], found["role"], found["title"]) == (size, role, title)
    data = found["data"]
    assert (data["train_videos"], data["validate_videos"], data["num_classes"]) == (TRAIN, VALIDATE, CLASSES)
    assert (found["head_training"]["seed"], found["head_training"]["seeds"]) == (0, 1)


def test_rows_of_one_report_name_the_same_videos(measured: Workspace):
    assert len({row(measured, name)["data"]["fingerprint"] for name in NAMES}) == 1


def test_no_folder_of_this_machine_gets_into_a_row(measured: Workspace):
    for name in NAMES:
        assert str(measured.root.parent) not in (measured.evaluation / f"{name}.json").read_text()


def test_the_scores_that_are_kept_are_those_of_the_figures(measured: Workspace):
    top, facts = load_scores(measured.evaluation / "scores" / "linear-5")
    assert len(top) == VALIDATE
    assert facts["store_sha256"] == open_store(measured.store("linear-5")).sha256
    found = row(measured, "linear-5")
    opinions = load_opinions(measured.evaluation / "scores" / "linear-5")
    assert list(opinions) == [judge["name"] for judge in found["judges"]] == list(JUDGED["heads"])
    for judge in found["judges"]:
        assert figures(opinions[judge["name"]].top).gap == judge["figures"]["gap"]["value"]
    assert figures(top).gap == found["figures"]["gap"]["value"]


def test_of_equally_good_judges_the_same_one_speaks_once_they_are_kept(measured: Workspace, tmp_path):
    """Else a row is compared with another judge of the baseline than the baseline's own row shows."""
    folder = measured.evaluation / "scores" / "linear-5"
    top, (one, *_) = load_scores(folder)[0], load_opinions(folder).values()
    opinions = dict.fromkeys(TITLES, one)
    save_scores(tmp_path / "scores", top, {}, opinions=opinions)
    kept = load_opinions(tmp_path / "scores")
    assert list(kept) == list(TITLES)
    assert Panel(kept).best == Panel(opinions).best == "moe"


@pytest.mark.parametrize("name", NAMES)
def test_the_training_videos_of_each_class_are_kept_with_the_scores(measured: Workspace, name: str):
    counts = load_train_class_counts(measured.evaluation / "scores" / name)
    assert counts is not None
    assert counts.dtype == np.int64
    assert counts.tolist() == multi_hot(TRAINING).sum(axis=0).tolist()


def test_a_command_and_notes_are_kept(workspace: Workspace):
    found = evaluate(workspace, "original", **JUDGED, retrieval=False, command="do it", notes=["Note."])
    assert (found.command, found.notes[-1]) == ("do it", "Note.")
