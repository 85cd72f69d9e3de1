"""`--full-map`: MAP over all scores, of a fresh head and of runs, against the whole matrix of scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from compress.artifacts.atomic import read_json
from compress.errors import DataError
from compress.evaluation.full_map import full_map
from compress.evaluation.judges.question import Search, question
from compress.evaluation.measure import evaluate
from compress.evaluation.models.current import model_is_current
from compress.evaluation.models.members import load_members, precisions_of
from compress.evaluation.models.row import load_models
from compress.evaluation.splits import split_table
from compress.metrics import mean_average_precision
from compress.reports import load_rows
from compress.store.reader import open_store
from compress.workspace import Workspace
from tests.evaluation.model_examples import (
    labels_by_id,
    made_run,
    make_workspace,
    measure,
    scored_one_by_one,
    validation,
)
from tests.metrics import reference


def of_matrix(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    both = {"map": "skip", "map_with_empty_as_zero": "zero"}
    return {
        name: mean_average_precision(scores, labels, scores.shape[1], empty) for name, empty in both.items()
    }


@torch.no_grad()
def test_of_a_judge_it_is_that_of_all_its_scores(workspace: Workspace):
    found = evaluate(workspace, "original", heads=("ridge",), retrieval=False, full_map=True)
    store = open_store(workspace.store("original"))
    asked = question(split_table(store, "train"), split_table(store, "validate"), Search())
    features = [split.features[:] for split in (asked.fit, asked.validation)]
    learned, asked_about = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in features)
    penalty = found.judges[0].settings["penalty"] * learned.var(axis=0).mean() * len(learned)
    fitted = Ridge(alpha=penalty).fit(learned.astype(float), asked.fit.labels.multi_hot().astype(float))
    scores = fitted.predict(asked_about)
    wanted = of_matrix(scores.astype(np.float32), asked.validation.labels.multi_hot())
    assert found.map_full == pytest.approx(wanted, abs=1e-6)
    assert "original" in [row.row for row in load_rows(workspace.evaluation)], "a report reads it"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Runs a and b read features, f reads frames."""
    workspace = make_workspace(tmp_path_factory.mktemp("models"))
    made_run(workspace, "a", seed=1)
    made_run(workspace, "b", seed=2)
    made_run(workspace, "f", "lstm", {"sizes": [6, 4]}, seed=3)
    return workspace


def test_of_runs_it_is_that_of_the_mean_of_their_scores(models: Workspace):
    for runs in (("a",), ("f",), ("a", "b", "f")):
        ids, labels = labels_by_id(models)
        each = [scored_one_by_one(models, run) for run in runs]
        mean = np.array([np.mean([scores[video] for scores in each], axis=0) for video in ids])
        found = measure(models, *runs, name="-".join(runs), full_map=True)
        assert found["map_full"] == pytest.approx(of_matrix(mean.astype(np.float32), labels), abs=1e-6)
    assert len(load_models(models.evaluation / "models")) == 3, "a report reads them"


def test_who_does_not_ask_gets_what_there_was_and_who_asks_gets_it(models: Workspace):
    members = load_members(models, ["a"])
    about = (models, "a", members, validation(models, "video"), precisions_of(members, "auto", "cpu"))
    assert "map_full" not in measure(models, "a", name="a")
    assert model_is_current(*about)
    assert not model_is_current(*about, full_map=True)
    measure(models, "a", name="a", full_map=True)
    assert model_is_current(*about)
    assert model_is_current(*about, full_map=True)


def test_a_store_measured_without_it_is_as_it_was(measured: Workspace):
    assert "map_full" not in read_json(measured.evaluation / "linear-5.json")


def test_scores_that_differ_the_second_time_are_an_error():
    scores, labels = reference.random_batch(1, 20, 5, ties=False)
    passes = iter([scores, scores + np.float32(1e-3)])
    with pytest.raises(DataError, match="second pass"):
        full_map(lambda: (pair for pair in [(next(passes), labels)]), 20, 5)
