"""The judges: each against a slow computation of its own; what is set aside, kept, and withheld."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import compress
from compress.artifacts.lock import exclusive
from compress.datasets.schema import FeatureSchema
from compress.datasets.table import VideoTable
from compress.errors import DataError, UsageError
from compress.evaluation.judges.judged import change
from compress.evaluation.judges.names import judges_named
from compress.evaluation.judges.nearest import Voting
from compress.evaluation.judges.panel import JUDGES, ask_panel, panel_recipe
from compress.evaluation.judges.question import Question, Search, question
from compress.evaluation.judges.trained import MeanOfHeads
from compress.evaluation.verdicts import UNSEEN
from compress.labels import Labels
from compress.metrics import Interval, replicates, with_training_noise
from compress.progress import Event, Note, Progress
from compress.training import train_config
from compress.training.set_aside import set_aside
from encoders import ModelConfig, build_model
from encoders.input_norm import InputNormConfig
from tests.artifacts.forging import set_version

CLASSES, DIM = 4, 6


def table(count: int, seed: int = 0) -> VideoTable:
    draws = np.random.default_rng(seed)
    directions = np.random.default_rng(9).normal(size=(CLASSES, DIM))
    labels = draws.random((count, CLASSES)) < 0.4
    features = labels @ directions + 0.3 * draws.normal(size=(count, DIM))
    ids = np.array([f"{seed}-{number}".encode() for number in range(count)])
    schema = FeatureSchema("video", ("embedding",), (DIM,), CLASSES, "id")
    return VideoTable(ids, features.astype(np.float32), Labels.from_multi_hot(labels), schema)


def asked(**search: Any) -> Question:
    return question(table(200), table(80, seed=1), Search(**{"seeds": 2, "mixup": 0.0, **search}))


def test_what_is_set_aside_is_not_learned_from_and_holds_what_encoders_set_aside():
    whole = asked()
    fit, aside = set(whole.fit.ids.tolist()), set(whole.aside.ids.tolist())
    assert not fit & aside
    assert fit | aside == set(table(200).ids.tolist())
    assert len(aside) == 40
    assert set(table(200).ids[set_aside(table(200).ids)].tolist()) <= aside


def test_too_few_videos_are_refused():
    with pytest.raises(UsageError, match="19 training videos are too few"):
        question(table(19), table(80, seed=1), Search())


def test_neighbours_vote_as_one_counts_by_hand():
    base, count, width = table(50), 7, 0.1
    unit = [
        rows / np.linalg.norm(rows, axis=1, keepdims=True)
        for rows in (base.features[:], table(9, 3).features[:])
    ]
    found = torch.sigmoid(Voting(base, count, width)(torch.from_numpy(table(9, 3).features[:]))).numpy()
    for query, votes in zip(unit[1], found, strict=True):
        cosine = unit[0] @ query
        near = np.argsort(-cosine)[:count]
        weights = np.exp(cosine[near] / width)
        wanted = weights @ base.labels.take(near).multi_hot() / weights.sum()
        assert votes == pytest.approx(wanted, abs=1e-5)


def test_a_judge_of_several_heads_gives_the_mean_of_their_probabilities():
    models = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        norm = InputNormConfig(DIM, "l2")
        models.append(
            build_model(ModelConfig("identity", CLASSES, {"input_dim": DIM}, input_norm=norm)).eval()
        )
    features = torch.from_numpy(table(9).features[:])
    with torch.no_grad():
        each = [torch.sigmoid(model(features)) for model in models]
        assert torch.allclose(
            torch.sigmoid(MeanOfHeads(models)(features)), (each[0] + each[1]) / 2, atol=1e-6
        )


def test_answers_are_kept_and_damaged_ones_given_again(tmp_path: Path):
    notes: list[object] = []
    first = ask_panel(["moe", "ridge"], asked(epochs=2), tmp_path, notes.append)
    told = [note.text for note in notes if isinstance(note, Note) and not note.passing]
    assert "asking 2 judges" in told[0]
    assert [text.split(" on ")[0][:-4] for text in told[1:]] == [  # a line a judge, and none of its epochs
        "mixture of experts: GAP 0.",
        "ridge regression: GAP 0.",
    ]
    assert {note.stage for note in notes if isinstance(note, Progress)} >= {"mixture of experts, 1 of 2"}
    notes.clear()
    again = ask_panel(["moe", "ridge"], asked(epochs=2), tmp_path, notes.append)
    assert not notes
    assert [one.top.scores.tolist() for one in again.opinions.values()] == [
        one.top.scores.tolist() for one in first.opinions.values()
    ]
    (scores,) = (tmp_path / "ridge").glob("top-*.npz")
    scores.write_bytes(b"damaged")
    ask_panel(["moe", "ridge"], asked(epochs=2), tmp_path, notes.append)
    assert ["ridge" in str(note) for note in notes if "asking the" in str(note)] == [True]
    notes.clear()
    set_version(tmp_path / "ridge", 2)  # as if a newer compress had kept it
    ask_panel(["moe", "ridge"], asked(epochs=2), tmp_path, notes.append)
    assert ["ridge" in str(note) for note in notes if "asking the" in str(note)] == [True]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["moe", "ridge"], "no weights"


def test_while_another_command_asks_a_judge_this_one_waits(tmp_path: Path):
    waits, notes = threading.Event(), list[Event]()

    def note(event: Event) -> None:
        if isinstance(event, Note) and event.text.startswith("waiting for process"):
            notes.append(event)
            waits.set()

    with ThreadPoolExecutor() as pool:
        with exclusive(tmp_path / "ridge"):
            panel = pool.submit(ask_panel, ["ridge"], asked(), tmp_path, note)
            assert waits.wait(30)
        assert "ridge" in panel.result().opinions
    assert len(notes) == 1


def test_nothing_is_chosen_on_the_videos_that_are_reported(tmp_path: Path):
    question_, other = asked(epochs=2), asked(epochs=2)
    shuffled = np.random.default_rng(5).permutation(len(other.validation))
    other = replace(
        other, validation=replace(other.validation, labels=other.validation.labels.take(shuffled))
    )
    names = list(JUDGES)
    one = ask_panel(names, question_, tmp_path / "one")
    two = ask_panel(names, other, tmp_path / "two")
    assert one.best == two.best
    for name in names:
        assert one.opinions[name].settings == two.opinions[name].settings
        assert one.opinions[name].aside_gap == two.opinions[name].aside_gap
        assert np.array_equal(one.opinions[name].top.scores, two.opinions[name].top.scores)


def test_a_judge_that_has_not_converged_says_so_and_gives_no_verdict():
    arrays = (table(200).features[:], table(200).labels, table(80, 1).features[:], table(80, 1).labels)
    short = compress.judge(*arrays, heads="logistic", epochs=1, seeds=1, mixup=0.0, device="cpu")
    assert not short.converged
    with pytest.raises(DataError, match="has not converged, so there is no verdict"):
        short.minus(short)
    full = compress.judge(*arrays, heads="logistic", seeds=2, mixup=0.0, device="cpu")
    assert full.converged
    assert full.gap.value > 0.8
    assert full.minus(full).gap == Interval(0.0, 0.0, 0.0)


def test_the_change_of_heads_with_other_seeds_is_wider_than_over_videos_alone(tmp_path: Path):
    one = ask_panel(["moe"], asked(epochs=3), tmp_path / "one").opinions["moe"]
    other = ask_panel(["moe"], asked(epochs=3, seed=7), tmp_path / "two").opinions["moe"]
    ours, theirs = replicates(one.top), replicates(other.top)
    over_videos, found = ours.minus(theirs).gap, change(one, ours, other, theirs).gap
    assert found.value == over_videos.value
    assert found.low < over_videos.low
    assert found.high > over_videos.high


def test_noise_adds_up_as_squares():
    found = with_training_noise(Interval(0.5, 0.47, 0.53), (0.04 / 2.776) ** 2, 4)
    assert (found.low, found.high) == pytest.approx((0.45, 0.55), abs=2e-4)
    assert with_training_noise(found, 0.0, 1) is found


def test_names_of_judges():
    assert judges_named(()) == tuple(JUDGES)
    assert judges_named(("knn", "moe")) == ("moe", "knn"), "in the order of reports"
    with pytest.raises(UsageError, match="no judge 'svm'"):
        judges_named(("svm",))


def test_a_recipe_does_not_depend_on_the_embedding_size_but_on_all_that_is_searched():
    ids = table(200).ids
    recipe = panel_recipe(("moe", "ridge"), Search(), ids)
    assert recipe != panel_recipe(("moe",), Search(), ids)
    for other in (Search(seeds=2), Search(epochs=3), Search(mixup=0.0), Search(seed=1)):
        assert recipe != panel_recipe(("moe", "ridge"), other, ids)


@pytest.mark.parametrize("videos", [300, 4_999, 5_000, 60_000])
def test_what_a_verdict_advises_leaves_out_all_that_judges_choose_on(videos: int):
    settings = dict(word.split("=") for word in UNSEEN.split() if "=" in word)
    assert settings.keys() == {"set_aside"}
    ids = np.array([f"v{number}".encode() for number in range(videos)])
    assert not (set_aside(ids) & ~set_aside(ids, float(settings["set_aside"]))).any()
    best = train_config("linear", 8, videos=videos)
    assert (set_aside(ids) == set_aside(ids, best.set_aside)).all(), "the default needs no advice"
