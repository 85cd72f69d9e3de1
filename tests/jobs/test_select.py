"""`compress select` as a job: which measured stores are candidates, what is refused, and what is written."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compress.errors import CorruptArtifactError, NotFoundError, SchemaError, UsageError
from compress.evaluation.promises import Scores
from compress.jobs.select import Selected, select_store
from compress.reports.writing import refuse_others
from compress.workspace import Workspace
from tests.evaluation.promises.worlds import world
from tests.jobs.measured_stores import STORES, measure, measured_stores, write_store

TEN_POINTS = {"gap": 10.0}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return measured_stores(tmp_path_factory.mktemp("measured_stores"))


@pytest.fixture
def stores(made: Workspace, tmp_path: Path) -> Workspace:
    """A copy, to be changed."""
    shutil.copytree(made.root, tmp_path / "w")
    return replace(made, root=tmp_path / "w")


def select(workspace: Workspace, drops=TEN_POINTS, baseline: str = "original", confidence=0.95) -> Selected:
    promised = {f"max_{quantity}_drop": drop for quantity, drop in drops.items()}
    return select_store(workspace, **promised, confidence=confidence, baseline=baseline)


@pytest.mark.parametrize(
    "drops",
    [
        TEN_POINTS,
        {"gap": 10.0, "map": None, "precision": None},
        {"gap": 10.0, "map": 20.0, "precision": 10.0},
        {"precision": 10.0},
    ],
)
def test_the_store_of_the_fewest_bytes_that_keeps_the_promise_is_chosen(stores: Workspace, drops):
    found = select(stores, drops).selection
    assert found.chosen is not None
    assert found.chosen.row == "good"
    assert found.encode_command == "compress encode --name a_run --codec good"
    assert found.times_smaller == 8
    assert [one.kept for one in found.choice.tried] == [True, True, False]


def test_the_scores_are_split_by_the_ids_that_the_store_holds_in_another_order(stores: Workspace):
    found = select(stores).selection.choice
    videos = dict(found.videos)
    assert sum(videos.values()) == 600
    # Read from another store where the baseline's is gone.
    stores.store("original").unlink()
    again = select(stores).selection.choice
    assert again.tried == found.tried
    assert dict(again.videos) == videos


def test_what_came_out_is_written_for_a_person_and_for_a_machine(stores: Workspace):
    done = select(stores)
    facts = json.loads(done.json.read_text())
    assert facts["chosen"]["store"] == "good"
    assert facts["chosen"]["encode"] == "compress encode --name a_run --codec good"
    assert facts["promise"] == {"max_drops": {"gap": 0.1}, "confidence": 0.95, "judges": []}
    assert facts["command"] == "compress select --max-gap-drop 10"
    assert [one["kept"] for one in facts["tried"]] == [True, True, False]
    assert facts["tried"][2]["shortfalls"]["gap"] > 0
    text = done.markdown.read_text()
    assert "good takes 50 bytes per video, 8.0 times smaller than original (400)" in text
    assert "Its epoch was chosen on validation videos." in text
    assert str(stores.root) not in text
    refuse_others(done.markdown, done.json)  # so a second call replaces them


def test_no_store_is_chosen_when_the_first_fails_and_the_nearest_miss_is_told(stores: Workspace):
    done = select(stores, {"gap": -5.0})
    assert done.selection.chosen is None
    assert done.selection.encode_command is None
    assert json.loads(done.json.read_text())["chosen"] is None
    text = done.markdown.read_text()
    assert "No store was confirmed to keep the promise: GAP at least 5.00 points above" in text
    assert "lower than promised" in text


@pytest.mark.parametrize(
    ("facts", "telling"),
    [
        ({"head": {"epochs": 2}}, "measured by other judges"),
        ({"train": "others"}, "other training videos"),
        ({"validate": "others"}, "other validation videos"),
        ({"store_sha256": "0" * 64}, "encoded again"),
    ],
)
def test_a_store_that_was_not_measured_like_the_baseline_is_no_candidate(stores: Workspace, facts, telling):
    one = world(1, [0.0], videos=600)
    measure(stores, "good", 50, one.stores[0], facts)
    found = select(stores).selection
    assert telling in found.left_out["good"]
    assert found.chosen is not None
    assert found.chosen.row == "fine"


def test_a_store_of_as_many_bytes_as_the_baseline_is_no_candidate(stores: Workspace):
    found = select(stores, baseline="fine").selection
    assert "no fewer bytes" in found.left_out["original"]
    assert set(found.rows) == {"good", "bad"}


def test_stores_whose_scores_or_neighbours_are_gone_are_left_out(stores: Workspace):
    one = world(1, [0.0, 0.05], videos=600)
    measure(stores, "good", 50, Scores(one.stores[1].top))
    shutil.rmtree(stores.evaluation / "scores" / "fine")
    found = select(stores, {"precision": 10.0}).selection
    assert found.left_out["good"] == "its neighbours were not measured query by query"
    assert found.left_out["fine"] == "its scores are gone"
    assert "good" in select(stores).selection.rows


def test_a_store_that_is_gone_is_still_a_candidate(stores: Workspace):
    stores.store("good").unlink()
    chosen = select(stores).selection.chosen
    assert chosen is not None
    assert chosen.row == "good"


@pytest.mark.parametrize("gone", ["original.json", "scores/original"])
def test_a_baseline_that_was_not_measured_is_told_with_the_command(stores: Workspace, gone: str):
    path = stores.evaluation / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(NotFoundError, match="compress evaluate --name original"):
        select(stores)


def test_a_baseline_without_neighbours_cannot_promise_precision(stores: Workspace):
    measure(stores, "original", 400, Scores(world(1, [], videos=600).baseline.top))
    with pytest.raises(NotFoundError, match="query by query"):
        select(stores, {"precision": 1.0})


def test_a_baseline_that_was_encoded_again_is_refused(stores: Workspace):
    write_store(stores, "original", world(1, [], videos=600), seed=9)
    with pytest.raises(SchemaError, match="encoded again"):
        select(stores)


def test_without_a_smaller_store_there_is_nothing_to_choose_from_and_each_reason_is_told_once(
    stores: Workspace,
):
    shutil.rmtree(stores.evaluation / "scores" / "bad")
    with pytest.raises(
        NotFoundError, match=r"no smaller .*\(bad: its scores are gone; fine and 1 more: takes no fewer bytes"
    ):
        select(stores, baseline="good")


def test_without_any_store_of_these_videos_the_halves_are_not_known(stores: Workspace):
    shutil.rmtree(stores.embeddings)
    with pytest.raises(NotFoundError, match="ids are not known"):
        select(stores)


@pytest.mark.parametrize("drops", [{"gap": None, "map": None}, {}])
def test_without_a_promise_nothing_is_chosen(stores: Workspace, drops):
    with pytest.raises(UsageError, match="nothing is promised"):
        select(stores, drops)


def test_a_promise_under_named_judges_holds_under_each_of_them(stores: Workspace):
    _, good, _, worse = world(1, [*(noise for _, noise in STORES.values()), 1.5], videos=600).stores
    measure(stores, "good", 50, good, ridge=worse.top)
    assert select(stores).selection.chosen.row == "good"  # its best judge is not ridge
    for heads, chosen in ((("moe",), "good"), (("ridge",), "fine"), (("ridge", "moe"), "fine")):
        done = select_store(stores, max_gap_drop=10.0, heads=heads)
        assert done.selection.chosen is not None
        assert done.selection.chosen.row == chosen
    failed = done.selection.choice.failed
    assert failed is not None
    assert failed.changes is not None
    assert (failed.expected.name, failed.changes["gap"].judge) == ("good", "ridge")
    facts = json.loads(done.json.read_text())
    assert facts["promise"]["judges"] == ["moe", "ridge"]
    assert facts["command"] == "compress select --max-gap-drop 10 --heads moe,ridge"
    text = done.markdown.read_text()
    assert "under each of mixture of experts and ridge regression" in text
    assert "points under ridge regression" in text


def test_a_store_whose_judge_has_not_converged_is_no_candidate(stores: Workspace):
    measure(stores, "good", 50, world(1, [0.0], videos=600).stores[0], converged=False)
    found = select(stores).selection
    assert found.left_out["good"] == "the best judge of good, mixture of experts, has not converged"
    assert "good" in select(stores, {"precision": 10.0}).selection.rows  # neighbours need no judge
    assert "good" in select_store(stores, max_gap_drop=10.0, heads=("ridge",)).selection.rows
    assert (
        "has not converged"
        in select_store(stores, max_gap_drop=10.0, heads=("moe",)).selection.left_out["good"]
    )


def test_a_baseline_that_has_not_converged_proves_nothing(stores: Workspace):
    measure(stores, "original", 400, world(1, [], videos=600).baseline, converged=False)
    with pytest.raises(SchemaError, match="has not converged") as error:
        select(stores)
    assert "`compress evaluate --name original --head-epochs 200`" in str(error.value.hint)


def test_a_judge_that_was_not_asked_is_told_with_the_command(stores: Workspace):
    with pytest.raises(SchemaError, match="was not judged by knn") as error:
        select_store(stores, max_gap_drop=10.0, heads=("knn",))
    assert "`compress evaluate --name original`" in str(error.value.hint)
    with pytest.raises(UsageError, match="no judge 'svm'"):
        select_store(stores, max_gap_drop=10.0, heads=("svm",))


def test_older_measurements_of_few_videos_prove_nothing(stores: Workspace):
    path = stores.evaluation / "original.json"
    row = json.loads(path.read_text())
    del row["judges"]
    path.write_text(json.dumps(row))
    with pytest.raises(SchemaError, match="fixed number of epochs"):
        select(stores)


def test_damaged_scores_are_told(stores: Workspace):
    file = next((stores.evaluation / "scores" / "good").glob("top*.npz"))
    data = bytearray(file.read_bytes())
    data[-100] ^= 1
    file.write_bytes(data)
    with pytest.raises(CorruptArtifactError, match=file.name):
        select(stores)


def test_a_handful_of_videos_proves_nothing(tmp_path: Path):
    workspace, few = Workspace(tmp_path), world(0, [0.0], videos=12)
    for name, size, scores in (("original", 9, few.baseline), ("one", 3, few.stores[0])):
        write_store(workspace, name, few)
        measure(workspace, name, size, scores)
    with pytest.raises(UsageError, match="nothing is proven with fewer than 10"):
        select(workspace)
    assert not np.any([path.exists() for path in (workspace.reports,)])
